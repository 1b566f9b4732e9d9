import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { endSessions } from '../../accounts/end-sessions.js';
import type { RecordEvent } from '../../audit/audit.js';
import type { Clock } from '../../database/clock.js';
import type { Database } from '../../database/database.js';
import { field, parameter } from '../../http/form.js';
import { askAgain } from '../../http/security-headers.js';
import type { Interactions } from '../../provider/interactions.js';
import { endedSessions, liveSessions } from '../../sessions/whereabouts.js';
import type { Reply } from '../../ui/reply.js';
import { localeOf } from '../../ui/reply.js';
import { DevicesPage } from './page.js';

export interface DeviceParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  interactions: Interactions;
  reply: Reply;
  /** Lets what was ended be told to the apps at once. */
  tellApps(): void;
  /** Remembers in this browser which end it was, for the page after signing out. */
  noteSignOut(ctx: Context, revocation: string | null): Promise<void>;
}

/** `/devices`: where the person is signed in, and buttons that end one session, all others, or all. */
export function deviceRoutes(router: RouterInstance, parts: DeviceParts): void {
  const { db, clock, audit, interactions, reply } = parts;

  const nameOf = (ctx: Context, { clientId, name }: { clientId: string; name: string }): string => {
    const app = interactions.app(clientId);
    if (app === null) return name;
    return localeOf(ctx) === 'es' ? (app['client_name#es'] ?? app.client_name) : app.client_name;
  };

  router.get('/devices', async (ctx) => {
    const session = await interactions.session(ctx);
    if (session === null) return ctx.redirect('/sign-in');
    const live = await liveSessions(db, clock, { account: session.accountId });
    const ended = await endedSessions(db, clock, session.accountId);
    const said = parameter(ctx, 'said');
    const outcome: 'done' | 'gone' | null = said === 'done' || said === 'gone' ? said : null;
    askAgain(ctx);
    reply(
      ctx,
      DevicesPage,
      {
        action: '/devices',
        signOutAction: '/leave',
        owner: session.accountId,
        here: session.uid,
        // The device in the reader's hand comes first.
        live: live
          .toSorted((a, b) => Number(b.uid === session.uid) - Number(a.uid === session.uid))
          .map((place) => ({ ...place, apps: place.apps.map((app) => nameOf(ctx, app)) })),
        ended: ended.map((place) => ({
          ...place,
          apps: place.apps.map((app) => ({ name: nameOf(ctx, app), state: app.state })),
        })),
        outcome,
        now: clock(),
      },
      { path: '/devices' },
    );
  });

  router.post('/devices', async (ctx) => {
    const session = await interactions.session(ctx);
    if (session === null) return ctx.redirect('/sign-in');
    // Somebody else signed in here since this page was shown: its buttons are not meant for their sessions.
    if (field(ctx, 'owner') !== session.accountId) return ctx.redirect('/devices');
    const which = field(ctx, 'session');
    const ended = await endSessions(db, audit, clock, session, which);
    parts.tellApps();
    // Who ended the session at hand reads on where everybody reads who has signed out.
    if (ended === null) throw Object.assign(new Error('no such session'), { status: 404 });
    if (ended.sessions > 0 && (which === session.uid || which === 'all')) {
      await parts.noteSignOut(ctx, ended.id);
      return ctx.redirect('/signed-out');
    }
    // Whoever has a copy of this session's cookie is one of the others, and stands on no list.
    if (which === 'others') await interactions.renew(ctx, false);
    ctx.redirect(`/devices?said=${ended.sessions === 0 ? 'gone' : 'done'}`);
  });
}
