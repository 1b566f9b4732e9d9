import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { sql } from 'kysely';
import { pendingFor } from '../accounts/pending.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { contactFacts } from '../families/contact-facts.js';
import { daysAfter } from '../families/eligible-students.js';
import { entitledStudents, localDate } from '../families/entitlement.js';
import { readablePhone } from '../families/phone.js';
import { parameter } from '../http/form.js';
import { isLocale } from '../locales/negotiate.js';
import type { Locale } from '../locales/translate.js';
import type { AppRegistration } from '../provider/app-registration.js';
import type { Interactions } from '../provider/interactions.js';
import type { Reply } from '../ui/reply.js';
import { localeCookie, localeOf } from '../ui/reply.js';
import { safePath } from '../ui/safe-url.js';
import { values } from '../values.js';
import { HelpPage } from './help/page.js';
import { HomePage } from './home/page.js';
import { WelcomePage } from './welcome/page.js';

export interface PortalParts {
  db: Database;
  clock: Clock;
  timeZone: string;
  issuer: string;
  apps: readonly AppRegistration[];
  studentDomains: readonly string[];
  interactions: Interactions;
  reply: Reply;
}

/** The linked apps as tiles, in the district's order; an app without a tile is not shown. */
function tiles(apps: readonly AppRegistration[], issuer: string, locale: Locale) {
  return apps
    .flatMap((app) => (app.tile === undefined ? [] : [{ app, tile: app.tile }]))
    .toSorted((a, b) => a.tile.order - b.tile.order)
    .flatMap(({ app, tile }) => {
      const start = app.initiate_login_uri ?? app.client_uri;
      if (start === undefined) return [];
      const href = new URL(start);
      if (app.initiate_login_uri !== undefined) href.searchParams.set('iss', issuer);
      const name = locale === 'es' ? (app['client_name#es'] ?? app.client_name) : app.client_name;
      return [{ name, sentence: tile.sentence[locale], href: href.href }];
    });
}

/** `/`: without a sign-in what this is; with one the apps, the children, and where each fact comes from. */
export function portalRoutes(router: RouterInstance, parts: PortalParts): void {
  const { db, reply, interactions, issuer, clock, timeZone } = parts;

  router.get('/', async (ctx) => {
    const session = await interactions.session(ctx);
    // Who has not accepted the terms is not in yet.
    if (session === null || (await pendingFor(db, session.accountId, parts.studentDomains)).terms)
      return reply(ctx, WelcomePage, { signInHref: '/sign-in', registerHref: '/register' });
    await home(ctx, session.accountId);
  });

  const home = async (ctx: Context, accountId: string): Promise<void> => {
    const account = await db
      .selectFrom('accounts')
      .select(['given_name', 'family_name'])
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    const now = clock();
    const today = localDate(now, timeZone);
    const soon = daysAfter(today, values.rightsNotices.later);
    const children = await entitledStudents(db, { accountId, now, timeZone });
    const facts = await contactFacts(db, { accountId, now, timeZone });
    reply(ctx, HomePage, {
      name: `${account.given_name} ${account.family_name}`.trim(),
      tiles: tiles(parts.apps, issuer, localeOf(ctx)),
      children: children.map((child) => ({
        name: `${child.givenName} ${child.familyName}`.trim(),
        grade: child.grade,
        schoolName: child.schoolName,
        relation: child.relation,
        on: child.since,
        until: child.rightsUntil !== null && child.rightsUntil < soon ? child.rightsUntil : null,
      })),
      contactFacts: facts.map((fact) => (fact.kind === 'phone' ? { ...fact, value: readablePhone(fact.value) } : fact)),
      now,
      today,
      signOutAction: '/leave',
    });
  };

  router.get('/help', async (ctx) => reply(ctx, HelpPage, { registerHref: '/register', signInHref: '/sign-in' }));

  // Who is not signed in goes through `/authorize` like any app's parent; what comes back is only the session.
  router.get('/sign-in', async (ctx) => {
    const query = new URLSearchParams({
      client_id: 'parent-access-portal',
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${issuer}/signed-in`,
    });
    ctx.redirect(`/authorize?${query}`);
  });
  router.get('/signed-in', async (ctx) => {
    // A parent who turned back is at the start again; nothing else is said here than the way home.
    ctx.redirect('/');
  });

  router.get('/language', async (ctx) => {
    const locale = parameter(ctx, 'locale');
    if (isLocale(locale)) {
      ctx.cookies.set(localeCookie(issuer.startsWith('https:')), locale, {
        signed: false,
        httpOnly: true,
        sameSite: 'lax',
        secure: issuer.startsWith('https:'),
        maxAge: 365 * 86_400_000,
        overwrite: true,
      });
      // A link on another site may choose the language of a page, but not of the letters to come.
      if (ctx.get('Sec-Fetch-Site') === 'same-origin') await rememberLocale(ctx, locale);
    }
    ctx.redirect(safePath(parameter(ctx, 'return')) ?? '/');
  });

  const rememberLocale = async (ctx: Context, locale: Locale): Promise<void> => {
    const session = await interactions.session(ctx);
    if (session === null) return;
    await sql`update accounts set locale = ${locale} where id = ${session.accountId}`.execute(db);
  };
}
