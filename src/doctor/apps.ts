import { calculateJwkThumbprint, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { Clock } from '../database/clock.js';
import type { AppRegistration } from '../provider/app-registration.js';
import { calledOrigins } from '../provider/metadata.js';
import { guardedFetch } from '../provider/outgoing.js';
import { bounded, failed, ok, reasonOf, warning } from './check.js';
import type { Check } from './check.js';
import { connects } from './connects.js';
import { fileSecrets } from './secrets.js';

const day = 86_400_000;
const mostBytes = 1_000_000;

/** What each app must answer for us: its key set, its logout address, its sector list; and its secrets' last days. */
export async function appChecks(apps: readonly AppRegistration[], clock: Clock): Promise<Check[]> {
  const none: Promise<Check[]> = Promise.resolve([]);
  const fetches = guardedFetch(calledOrigins(apps));
  const secretChecks = apps.flatMap((app) => fileSecrets(app, clock));
  const made = await Promise.all(
    apps.flatMap((app) => {
      const id = app.client_id;
      const repair = `Ask the makers of ${id}.`;
      return [
        app.jwks_uri === undefined ? none : bounded(`keys of ${id}`, repair, () => keySet(app, fetches)),
        app.backchannel_logout_uri === undefined ? none : bounded(`logout of ${id}`, repair, () => logout(app, clock)),
        app.sector_identifier_uri === undefined ? none : bounded(`sector of ${id}`, repair, () => sector(app, fetches)),
      ];
    }),
  );
  return [...secretChecks, ...made.flat()];
}

type Answer = { value: unknown } | { wrong: string };

/** Fetches as the provider does: only registered origins, no redirects, five seconds; and JSON of a size we read. */
async function fetchJson(address: string, fetches: typeof fetch): Promise<Answer> {
  try {
    const response = await fetches(address, { headers: { Accept: 'application/json' } });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { wrong: `answers ${response.status}` };
    }
    const text = await capped(response);
    return text === null ? { wrong: 'answers with more than a megabyte' } : parsed(text);
  } catch (error) {
    return { wrong: `cannot be fetched: ${reasonOf(error)}` };
  }
}

function parsed(text: string): Answer {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { wrong: 'answers with something that is not JSON' };
  }
}

async function capped(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function keySet(app: AppRegistration, fetches: typeof fetch): Promise<Check> {
  const name = `keys of ${app.client_id}`;
  const where = app.jwks_uri ?? '';
  const repair = `Have the makers of ${app.client_id} serve its public keys there, or correct jwks_uri in clients.json.`;
  const answer = await fetchJson(where, fetches);
  if ('wrong' in answer) return failed(name, `${shown(where)} ${answer.wrong}.`, repair);
  const listed = answer.value as { keys?: unknown } | null;
  if (listed === null || !Array.isArray(listed.keys)) return failed(name, `${shown(where)} is no key set.`, repair);
  const found = listed.keys as JWK[];
  if (found.some((jwk) => typeof jwk === 'object' && jwk !== null && 'd' in jwk)) {
    return failed(
      name,
      `${shown(where)} publishes a private key.`,
      `Tell the makers of ${app.client_id} at once: that key is anybody's, and must be replaced.`,
    );
  }
  const usable = (await Promise.all(found.map((jwk) => verifies(jwk)))).filter(Boolean).length;
  return usable === 0
    ? failed(name, `None of the ${found.length} keys at ${shown(where)} can verify a signature.`, repair)
    : ok(name, `${usable} usable at ${shown(where)}.`);
}

const byType: Record<string, string> = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' };

async function verifies(jwk: JWK): Promise<boolean> {
  try {
    const alg = jwk.alg ?? byType[jwk.kty ?? ''];
    if (alg === undefined || jwk.use === 'enc') return false;
    await calculateJwkThumbprint(jwk);
    return !((await importJWK(jwk, alg)) instanceof Uint8Array);
  } catch {
    return false;
  }
}

/** The logout address takes a connection. Nothing is asked there: a logout token is for a real sign-out. */
async function logout(app: AppRegistration, clock: Clock): Promise<Check> {
  const name = `logout of ${app.client_id}`;
  const where = app.backchannel_logout_uri ?? '';
  try {
    const { certificateEnds } = await connects(new URL(where), 5_000);
    const days = certificateEnds === null ? Infinity : (certificateEnds.getTime() - clock().getTime()) / day;
    return days < 14
      ? warning(
          name,
          `The certificate at ${shown(where)} ends in ${Math.max(0, Math.floor(days))} days.`,
          `Have the makers of ${app.client_id} renew it.`,
        )
      : ok(name, `${shown(where)} takes connections.`);
  } catch (error) {
    const found = `${shown(where)} cannot be reached: ${reasonOf(error)}.`;
    if (app.demo) return warning(name, found, 'Start the server: the demo apps run with it.');
    return failed(
      name,
      found,
      `Have the makers of ${app.client_id} see to it, or correct backchannel_logout_uri in clients.json.`,
    );
  }
}

async function sector(app: AppRegistration, fetches: typeof fetch): Promise<Check> {
  const name = `sector of ${app.client_id}`;
  const where = app.sector_identifier_uri ?? '';
  const repair = `Have the makers of ${app.client_id} list every redirect_uri there, or correct sector_identifier_uri.`;
  const answer = await fetchJson(where, fetches);
  if ('wrong' in answer) return failed(name, `${shown(where)} ${answer.wrong}.`, repair);
  const { value } = answer;
  if (!Array.isArray(value)) return failed(name, `${shown(where)} is no list of addresses.`, repair);
  const absent = app.redirect_uris.filter((uri) => !value.includes(uri)).length;
  return absent > 0
    ? failed(name, `${shown(where)} lacks ${absent} of the app's redirect_uris.`, repair)
    : ok(name, `${shown(where)} lists every redirect_uri.`);
}

/** An address without what may be secret in it. */
function shown(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`;
}
