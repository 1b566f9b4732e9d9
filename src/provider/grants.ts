import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { AppDisabled } from '../sessions/session-store.js';
import type { SessionStore } from '../sessions/session-store.js';
import { registeredClaims } from './claims.js';
import type { ClaimSources } from './claims.js';
import { consentFacts } from './consent-facts.js';
import type { AppRegistration } from './app-registration.js';

type Grant = InstanceType<Provider['Grant']>;

/** Every claim there is; an app's grant rejects those it is not registered for, so that a request cannot widen it. */
const allClaims = [
  'name',
  'given_name',
  'family_name',
  'locale',
  'updated_at',
  'email',
  'email_verified',
  'phone_number',
  'phone_number_verified',
  'students',
] as const;

/** Fills a grant with what the app is registered for: nothing of it comes from the request (decision 3). */
function grantRegistration(grant: Grant, app: AppRegistration): Grant {
  const claims = registeredClaims(app);
  grant.addOIDCScope(app.scope);
  grant.addOIDCClaims(allClaims.filter((claim) => claims.has(claim)));
  grant.rejectOIDCClaims(allClaims.filter((claim) => !claims.has(claim)));
  return grant;
}

function refuseDisabled(error: unknown): never {
  throw error instanceof AppDisabled ? new errors.InvalidClient('the app is disabled') : error;
}

/**
 * Which grant a request goes on with. A district app has one by its registration, made once per session and app and
 * shared by all tabs; a vendor has one while the parent's permission covers all that it may receive.
 *
 * @param consented whether the person's word covers these facts
 */
export function grantLoader(
  store: SessionStore,
  apps: ReadonlyMap<string, AppRegistration>,
  consented: ClaimSources['consented'],
): (ctx: KoaContextWithOIDC) => Promise<Grant | undefined> {
  return async (ctx) => {
    const { oidc } = ctx;
    const { session, client, account, provider } = oidc;
    const app = client === undefined ? undefined : apps.get(client.clientId);
    if (session === undefined || client === undefined || account === undefined || app === undefined) return undefined;
    const allowed = async (): Promise<boolean> => consented(account.accountId, app.client_id, consentFacts(app));
    if (app.party === 'vendor' && !(await allowed())) return undefined;
    const propose = (): Promise<string> => {
      const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
      return grantRegistration(grant, app).save();
    };
    const { sid, grantId } = await store.authorize(session.uid, client.clientId, propose).catch(refuseDisabled);
    session.sidFor(client.clientId, sid);
    // Asked again, now that a word taken back in between would have found the authorization to end.
    if (app.party === 'vendor' && !(await allowed())) return undefined;
    return provider.Grant.find(grantId);
  };
}
