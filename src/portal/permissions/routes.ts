import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { consentsOf, revokeConsent } from '../../accounts/consents.js';
import type { RecordEvent } from '../../audit/audit.js';
import type { Clock } from '../../database/clock.js';
import type { Database } from '../../database/database.js';
import { field } from '../../http/form.js';
import { consentFacts } from '../../provider/consent-facts.js';
import type { Interactions } from '../../provider/interactions.js';
import type { Reply } from '../../ui/reply.js';
import { localeOf } from '../../ui/reply.js';
import { PermissionsPage } from './page.js';

export interface PermissionParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  interactions: Interactions;
  reply: Reply;
  /** Lets what was ended be told to the apps at once. */
  tellApps(): void;
}

/** `/permissions`: what the person who is signed in allowed to apps of vendors, and the way to take it back. */
export function permissionRoutes(router: RouterInstance, parts: PermissionParts): void {
  const { db, clock, audit, interactions, reply } = parts;

  const nameOf = (ctx: Context, clientId: string): string => {
    const app = interactions.app(clientId);
    if (app === null) return clientId;
    return localeOf(ctx) === 'es' ? (app['client_name#es'] ?? app.client_name) : app.client_name;
  };

  const show = async (ctx: Context, accountId: string, stopped: string | null): Promise<void> => {
    const permissions = (await consentsOf(db, accountId)).flatMap(({ clientId, facts, givenAt }) => {
      const app = interactions.app(clientId);
      // An app that left the district gets nothing; there is nothing to stop.
      if (app?.party !== 'vendor') return [];
      const allowed = consentFacts(app).filter((fact) => facts.includes(fact));
      return [{ clientId, appName: nameOf(ctx, clientId), facts: allowed, givenAt }];
    });
    const page = { action: '/permissions', signOutAction: '/leave', owner: accountId, permissions, stopped };
    reply(ctx, PermissionsPage, page, { path: '/permissions' });
  };

  router.get('/permissions', async (ctx) => {
    const session = await interactions.session(ctx);
    if (session === null) return ctx.redirect('/sign-in');
    await show(ctx, session.accountId, null);
  });

  router.post('/permissions', async (ctx) => {
    const session = await interactions.session(ctx);
    if (session === null) return ctx.redirect('/sign-in');
    // As on `/devices`: what another person allowed stays as it is.
    if (field(ctx, 'owner') !== session.accountId) return ctx.redirect('/permissions');
    const clientId = field(ctx, 'app').slice(0, 64);
    const ended = await revokeConsent(db, clock, audit, session.accountId, clientId);
    if (!ended && interactions.app(clientId) === null) throw Object.assign(new Error('no such app'), { status: 404 });
    parts.tellApps();
    await show(ctx, session.accountId, ended ? nameOf(ctx, clientId) : null);
  });
}
