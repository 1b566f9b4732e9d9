import type { ComponentChildren, JSX } from 'preact';
import type { Locale } from '../locales/translate.js';
import { forgetScript, icon, liveScript, passwordScript, stylesheet, tabsScript } from './assets.js';
import { safePath } from './safe-url.js';
import type { View } from './view.js';

export interface DocumentProps {
  readonly view: View;
  /** The page's own title, without the product's name. */
  readonly title: string;
  /** Puts "Error:" before the title, so that a screen reader says first that something is wrong. */
  readonly hasErrors?: boolean;
  /** Where the "Sign out" button posts; without it there is no such button. */
  readonly signOutAction?: string | undefined;
  /** What the page shows cannot be shown again, so no link to another language leads away from it. */
  readonly shownOnce?: boolean;
  /** A wider page, for several cards beside each other on a computer. */
  readonly wide?: boolean;
  /** The page has a password field, which a script lets its reader look at. */
  readonly hasPassword?: boolean;
  /** A part of the page is still to come, and a script brings it. */
  readonly isLive?: boolean;
  /** Somebody signed out in this browser: pages in other tabs are told. */
  readonly isDone?: boolean;
  readonly children: ComponentChildren;
}

/** Each language is offered in its own words. */
const otherLanguage: Readonly<Record<Locale, { locale: Locale; name: string }>> = {
  en: { locale: 'es', name: 'Español' },
  es: { locale: 'en', name: 'English' },
};

function languageHref(locale: Locale, path: string): string {
  return `/language?${new URLSearchParams({ locale, return: safePath(path) ?? '/' }).toString()}`;
}

function Mark(): JSX.Element {
  return (
    <svg class="pa-mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <path d="M4 15 16 5l12 10v12H4z" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round" />
      <path d="M12.5 27v-6.5a3.5 3.5 0 0 1 7 0V27z" fill="currentColor" />
    </svg>
  );
}

/**
 * The frame of every page: title, language, one stylesheet, a link past the header, the product's name, the other language,
 * the page itself, and help.
 */
export function Document({
  view,
  title,
  hasErrors,
  signOutAction,
  shownOnce,
  wide,
  hasPassword,
  isLive,
  isDone,
  children,
}: DocumentProps): JSX.Element {
  const { t, locale, path } = view;
  const site = t('site.name');
  const full = t('site.title', { title, site });
  const other = otherLanguage[locale];
  // What shows something of who is signed in hears that they are not any more, whatever the computer was called when it was shown.
  const hears = view.sharedComputer === true || signOutAction !== undefined;
  return (
    <html lang={locale} dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="format-detection" content="telephone=no" />
        <meta name="color-scheme" content="light" />
        <title>{hasErrors === true ? t('site.errorTitle', { title: full }) : full}</title>
        <link rel="stylesheet" href={stylesheet.path} />
        {view.answersForm === true && <script defer src={forgetScript.path} data-path={safePath(path) ?? '/'} />}
        {(hears || isDone === true) && (
          <script defer src={tabsScript.path} {...(isDone === true ? { 'data-done': '' } : {})} />
        )}
        {hasPassword === true && <script type="module" src={passwordScript.path} />}
        {isLive === true && <script type="module" src={liveScript.path} />}
        <link rel="icon" type="image/svg+xml" href={icon.path} />
      </head>
      <body>
        <a class="usa-skipnav" href="#main">
          {t('site.skip')}
        </a>
        <header class="pa-header">
          <div class="pa-header__inner">
            <a class="pa-brand" href="/">
              <Mark />
              <span>{site}</span>
            </a>
            <div class="pa-header__tools">
              {shownOnce !== true && (
                <nav aria-label={t('site.language')}>
                  <a
                    class="pa-tool"
                    href={languageHref(other.locale, path)}
                    lang={other.locale}
                    hreflang={other.locale}
                  >
                    {other.name}
                  </a>
                </nav>
              )}
              {view.sharedComputer === true && (
                <form method="post" action="/done">
                  <button class="pa-tool pa-tool--done" type="submit">
                    {t('site.done')}
                  </button>
                </form>
              )}
              {view.sharedComputer !== true && signOutAction !== undefined && (
                <form method="post" action={signOutAction}>
                  <button class="pa-tool" type="submit">
                    {t('site.signOut')}
                  </button>
                </form>
              )}
            </div>
          </div>
        </header>
        <main id="main" class={wide === true ? 'pa-main pa-main--wide' : 'pa-main'} tabindex={-1}>
          {children}
        </main>
        <footer class="pa-footer">
          <div class="pa-footer__inner">
            <span>{view.districtName ?? t('site.district')}</span>
            <a class="pa-footer__link" href="/help">
              {t('site.help')}
            </a>
          </div>
        </footer>
      </body>
    </html>
  );
}
