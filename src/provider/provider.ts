import Provider from 'oidc-provider';
import type { Logger } from 'pino';
import type { Clock } from '../database/clock.js';
import { MarkedBefore } from '../sessions/artifacts.js';
import type { AppRegistration } from './app-registration.js';
import { configuration } from './configuration.js';
import type { ProviderParts } from './configuration.js';
import { endHere, nameSessions } from './opened-here.js';

/**
 * The library's provider on our parts, with secrets compared as digests and its events logged (codes and reasons, never
 * a token, an address or a name).
 */
export function makeProvider(parts: ProviderParts, clock: Clock, logger: Logger): Provider {
  const provider = new Provider(parts.issuer, configuration(parts, clock));
  const compare = async function compareClientSecret(this: { clientId: string }, secret: string): Promise<boolean> {
    const app: AppRegistration | undefined = parts.apps.get(this.clientId);
    return app !== undefined && parts.checkSecret(app, secret);
  };
  Object.assign(provider.Client.prototype, { compareClientSecret: compare });
  // Sessions keep a little beside what the library keeps (`factsOfLogin`), and by which cookie they were found.
  const kept = Reflect.get(provider.Session, 'IN_PAYLOAD') as readonly string[];
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', {
    value: [...kept, 'device', 'generation', 'browser', 'shown'],
  });
  // Without a consent page the library leaves offline_access out of the scope, and then refuses a refresh that names it. But
  // it asks for nothing beyond the refresh token itself, and clients that send their whole scope (mod_auth_openidc) do.
  Object.defineProperty(provider.RefreshToken.prototype, 'scopes', {
    get(this: { scope?: string }): Set<string> {
      return new Set([...(this.scope?.split(' ') ?? []), 'offline_access']);
    },
  });
  // The library looks first and writes then; of several who come together the database says which was the first.
  const unique = provider.ReplayDetection.unique;
  provider.ReplayDetection.unique = async (...assertion) => {
    try {
      return await unique.apply(provider.ReplayDetection, assertion);
    } catch (error) {
      if (error instanceof MarkedBefore) return false;
      throw error;
    }
  };
  nameSessions(provider);
  replaceSignOut(provider, parts, logger);

  const refused = (event: string, clientId: string | undefined, error: Error): void => {
    logger.info({ event, client: clientId, error: 'error' in error ? error.error : error.name }, 'provider: refused');
  };
  provider.on('authorization.error', (ctx, error) => refused('authorization', ctx.oidc?.client?.clientId, error));
  provider.on('grant.error', (ctx, error) => refused('grant', ctx.oidc?.client?.clientId, error));
  provider.on('userinfo.error', (ctx, error) => refused('userinfo', ctx.oidc?.client?.clientId, error));
  provider.on('introspection.error', (ctx, error) => refused('introspection', ctx.oidc?.client?.clientId, error));
  provider.on('revocation.error', (ctx, error) => refused('revocation', ctx.oidc?.client?.clientId, error));
  provider.on('end_session.error', (ctx, error) => refused('sign-out', ctx.oidc?.client?.clientId, error));
  provider.on('server_error', (_ctx, error) => logger.error({ err: error }, 'provider: failed'));
  return provider;
}

/**
 * The library only forgets the cookie's row, and tells each app once, while the browser waits. Ours leaves a tombstone, which a
 * request in flight cannot undo, and durable deliveries.
 */
function replaceSignOut(provider: Provider, parts: ProviderParts, logger: Logger): void {
  const forget = provider.Session.prototype.destroy;
  provider.Session.prototype.destroy = async function destroy() {
    const finished = Provider.ctx === undefined ? [] : parts.finishedHere(Provider.ctx);
    const revocation = await endHere(provider, parts.endSession, finished, this, 'signed-out');
    if (Provider.ctx !== undefined) await parts.pages.noteSignOut(Provider.ctx, revocation);
    await forget.call(this);
  };
  const tell = async function backchannelLogout(
    this: { clientId: string },
    accountId: string,
    sid: string,
  ): Promise<void> {
    // Where all apps end, ending the session tells them; here it is one that the person leaves while they stay signed in.
    if (Provider.ctx?.oidc.params?.['logout'] !== undefined) return;
    await parts.endSession({ app: this.clientId, sid }, 'left-app', accountId);
  };
  Object.assign(provider.Client.prototype, { backchannelLogout: tell });
  // A code or a refresh token that comes twice ends its grant (RFC 6749 §4.1.2): somebody else may hold the app's session, so the
  // app is told. What the app gives back by itself, or what ends with the whole session, is told elsewhere or not at all.
  provider.on('grant.revoked', (ctx, grantId) => {
    if (ctx.oidc.route !== 'token') return;
    const { accountId } = ctx.oidc.entities.AuthorizationCode ?? ctx.oidc.entities.RefreshToken ?? {};
    parts.endSession({ grant: grantId }, 'used-twice', accountId).catch((error: unknown) => {
      logger.error({ err: error }, 'provider: an app was not told that its grant ended');
    });
  });
}
