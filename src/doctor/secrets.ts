import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { AppRegistration } from '../provider/app-registration.js';
import { listSecrets } from '../provider/client-secrets.js';
import { after, values } from '../values.js';
import { failed, ok, warning } from './check.js';
import type { Check } from './check.js';

function usesSecrets(app: AppRegistration): boolean {
  return !app.demo && app.token_endpoint_auth_method.startsWith('client_secret');
}

const day = (moment: number): string => new Date(moment).toISOString().slice(0, 10);

/** What the file says of an app's secrets: whose last one ends cannot sign anybody in from that moment on. */
export function fileSecrets(app: AppRegistration, clock: Clock): Check[] {
  if (!usesSecrets(app)) return [];
  const name = `secrets of ${app.client_id}`;
  const ends = (app.secrets ?? []).map(({ expires_at: at }) => (at === undefined ? Infinity : Date.parse(at)));
  const last = Math.max(...ends);
  const now = clock();
  const soon = after(now, values.secretWarning).getTime();
  const live = ends.filter((end) => end > now.getTime());
  const repair = `Make a new one with \`parent-access clients secret add ${app.client_id} NAME\`, and hand it to the makers of the app.`;
  if (live.length === 0) return [failed(name, 'All of its secrets have expired: it can sign nobody in.', repair)];
  if (last < soon) return [warning(name, `Its last secret expires on ${day(last)}.`, repair)];
  const first = Math.min(...live);
  if (first < soon) {
    return [
      warning(
        name,
        `One of its ${live.length} secrets in force expires on ${day(first)}.`,
        `See with \`parent-access clients secret list ${app.client_id}\` whether the app uses another already.`,
      ),
    ];
  }
  return [ok(name, `${live.length} of ${ends.length} in force.`)];
}

/** Secrets that an operator ended, and whose line in the file does not say so: who reads the file takes them for good. */
export async function endedSecrets(db: Database, apps: readonly AppRegistration[], clock: Clock): Promise<Check[]> {
  const checks: Check[] = [];
  for (const app of apps.filter((each) => usesSecrets(each))) {
    const secrets = await listSecrets(db, app, clock());
    const ended = secrets.filter(({ endedByOperator }) => endedByOperator);
    if (ended.length > 0 && secrets.every(({ state }) => state === 'ended')) {
      checks.push(
        failed(
          `ended secrets of ${app.client_id}`,
          'The last of its secrets was ended: it can sign nobody in.',
          `Make a new one with \`parent-access clients secret add ${app.client_id} NAME\`.`,
        ),
      );
      continue;
    }
    for (const { name, endsAt } of ended) {
      checks.push(
        warning(
          `ended secrets of ${app.client_id}`,
          `"${name}" was ended on ${day(endsAt?.getTime() ?? 0)}, and clients.json does not say so.`,
          'Take its line out of clients.json, or write the end into it.',
        ),
      );
    }
  }
  return checks;
}
