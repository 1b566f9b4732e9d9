import type { Context } from 'koa';
import { negotiateLocale } from '../locales/negotiate.js';
import type { Locale } from '../locales/translate.js';
import { translator } from '../locales/translate.js';
import { renderPage } from './render.js';
import type { Page } from './render.js';
import type { View } from './view.js';

/** Over HTTPS with the prefix that only this host can set (RFC 6265bis §4.1.3.2). */
export function localeCookie(secure: boolean): string {
  return `${secure ? '__Host-' : ''}pa-locale`;
}

/** Answers with pages in the reader's language. */
export interface Reply {
  /** @param options `path`: where GET reaches this page, if not here without a query; `uiLocales`: what the app asked for */
  <Props extends object>(ctx: Context, page: Page<Props>, props: Props, options?: ReplyOptions): void;
  view(ctx: Context, options?: ReplyOptions): View;
}

export interface ReplyOptions {
  status?: number;
  path?: string;
  uiLocales?: string | null;
}

/** The language of a request: what the app asked for, the reader's own choice, the browser's. */
export function localeOf(ctx: Context, uiLocales?: string | null): Locale {
  const asked = uiLocales ?? (typeof ctx.query['ui_locales'] === 'string' ? ctx.query['ui_locales'] : undefined);
  const chosen = ctx.cookies.get(localeCookie(ctx.protocol === 'https'), { signed: false });
  return negotiateLocale({
    // What the reader chose by hand outweighs what the app guesses.
    ...(chosen === undefined && asked !== undefined ? { uiLocales: asked } : {}),
    ...(chosen === undefined ? {} : { cookie: chosen }),
    acceptLanguage: ctx.get('Accept-Language'),
  });
}

/** @param timeZone the district's; @param districtName as its families say it, or null */
export function replier(timeZone: string, districtName: string | null): Reply {
  const view = (ctx: Context, options: ReplyOptions = {}): View => {
    const locale = localeOf(ctx, options.uiLocales);
    const sharedComputer = ctx.state['shared'] === true;
    return {
      locale,
      t: translator(locale),
      // Nothing of a query stands in a page by itself: beside a family's facts, packed together, its length would tell who guessed right.
      path: options.path ?? ctx.path,
      timeZone,
      districtName,
      sharedComputer,
      answersForm: ctx.method === 'POST',
    };
  };
  const reply = <Props extends object>(
    ctx: Context,
    page: Page<Props>,
    props: Props,
    options: ReplyOptions = {},
  ): void => {
    ctx.status = options.status ?? 200;
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.vary('Accept-Language');
    ctx.vary('Cookie');
    ctx.body = renderPage(page, view(ctx, options), props);
  };
  return Object.assign(reply, { view });
}
