import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Config } from '../config.js';
import type { Clock } from '../database/clock.js';
import { newSecret } from '../database/secrets.js';
import { allowsSamples } from '../foundation.js';
import { utcMinute } from '../locales/dates.js';
import type { AppRegistration } from '../provider/app-registration.js';
import { endSecret, listSecrets } from '../provider/client-secrets.js';
import type { ListedSecret } from '../provider/client-secrets.js';
import { readClientsFile } from '../provider/clients-file.js';
import { columns, DeskRefused } from './desk.js';
import type { Desk, DeskCommand } from './desk.js';
import { parseMoment } from './moment.js';

type Secret = NonNullable<AppRegistration['secrets']>[number];

const say =
  'Say what to do: clients secret add CLIENT NAME [--expires DATE], list CLIENT [--json] or expire CLIENT NAME [--at DATE].';

/** The app of the clients file whose secrets are meant. */
function findApp(config: Config, clientId: string): AppRegistration {
  const apps = readClientsFile(config.clientsFile, {
    production: config.production,
    demos: allowsSamples(config),
    secretsMayCome: true,
  });
  const app = apps.find((each) => each.client_id === clientId);
  if (app === undefined) {
    throw new DeskRefused(`There is no app ${JSON.stringify(clientId.slice(0, 64))} in ${config.clientsFile}.`);
  }
  if (app.demo) throw new DeskRefused(`${clientId} is a demo app: the start makes its secret.`);
  if (!app.token_endpoint_auth_method.startsWith('client_secret')) {
    throw new DeskRefused(`${clientId} uses ${app.token_endpoint_auth_method}, and no secret.`);
  }
  return app;
}

function momentOf(option: string, text: string, { config, clock }: { config: Config; clock: Clock }): Date {
  const moment = parseMoment(text, config.timeZone);
  if (moment === null) {
    throw new DeskRefused(`${option} is a date like 2027-06-30, or a moment like 2027-06-30T17:00:00-07:00.`);
  }
  if (moment <= clock()) throw new DeskRefused(`${option} is in the past: ${utcMinute(moment)}.`);
  return moment;
}

/** The line of a secret in the clients file. */
function lineOf({ name, sha256, expires_at: expiresAt }: Secret): string {
  const end = expiresAt === undefined ? '' : `, "expires_at": ${JSON.stringify(expiresAt)}`;
  return `  { "name": ${JSON.stringify(name)}, "sha256": "${sha256}"${end} }`;
}

/**
 * `clients secret add CLIENT NAME [--expires DATE]`: makes a secret and prints it, once; it is written nowhere. It is good
 * when its line stands in the clients file.
 *
 * @throws DeskRefused, ClientsFileError
 */
export function addSecret(config: Config, clock: Clock, args: string[]): string {
  const { values: given, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { expires: { type: 'string' } },
  });
  const [clientId, name, ...more] = positionals;
  if (clientId === undefined || name === undefined || more.length > 0) throw new DeskRefused(say);
  const app = findApp(config, clientId);
  if (!/^[\w.-]{1,40}$/.test(name))
    throw new DeskRefused('A name has 1 to 40 of letters, digits, hyphen, dot and underscore.');
  if ((app.secrets ?? []).some((secret) => secret.name === name)) {
    throw new DeskRefused(`${clientId} has a secret "${name}" already: give this one another name.`);
  }
  const expires = given.expires === undefined ? null : momentOf('--expires', given.expires, { config, clock });
  const secret = newSecret();
  const sha256 = createHash('sha256').update(secret).digest('hex');
  return [
    `The new secret of ${clientId}, shown this once. Hand it to the makers of the app:`,
    '',
    `  ${secret}`,
    '',
    `Add this line to its "secrets" in ${config.clientsFile}, have it reviewed, and restart the servers:`,
    '',
    lineOf({ name, sha256, ...(expires === null ? {} : { expires_at: expires.toISOString() }) }),
  ].join('\n');
}

/** `clients secret list CLIENT [--json] | expire CLIENT NAME [--at DATE]` */
export const secretsCommand: DeskCommand = async (desk, args) => {
  const { values: given, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, at: { type: 'string' } },
  });
  const [what, clientId, name, ...more] = positionals;
  if (what === 'list' && clientId !== undefined && name === undefined) return list(desk, clientId, given.json);
  if (what === 'expire' && clientId !== undefined && name !== undefined && more.length === 0) {
    return expire(desk, clientId, name, given.at);
  }
  throw new DeskRefused(say);
};

async function list({ config, clock, db }: Desk, clientId: string, json: boolean): Promise<string> {
  const now = clock();
  const secrets = await listSecrets(db, findApp(config, clientId), now);
  if (json) return JSON.stringify(secrets);
  const row = ({ name, state, endsAt, lastUsedAt }: ListedSecret): string[] => [
    name,
    state,
    endsAt === null ? 'never' : utcMinute(endsAt),
    lastUsedAt === null ? 'never' : utcMinute(lastUsedAt),
  ];
  const notes = secrets.flatMap(({ name, state, endsAt, endedByOperator }) => {
    const days = endsAt === null ? Infinity : Math.ceil((endsAt.getTime() - now.getTime()) / 86_400_000);
    return [
      ...(state === 'expires soon' ? [`Warning: "${name}" expires in ${days} ${days === 1 ? 'day' : 'days'}.`] : []),
      ...(endedByOperator ? [`"${name}" was ended here; ${config.clientsFile} does not say so yet.`] : []),
    ];
  });
  return [columns([['name', 'state', 'ends', 'last used'], ...secrets.map(row)]), ...notes].join('\n');
}

async function expire(desk: Desk, clientId: string, name: string, at: string | undefined): Promise<string> {
  const { config, clock, db, audit } = desk;
  const app = findApp(config, clientId);
  const secret = (app.secrets ?? []).find((each) => each.name === name);
  if (secret === undefined) {
    const names = (app.secrets ?? []).map((each) => each.name).join(', ');
    throw new DeskRefused(`${clientId} has no secret ${JSON.stringify(name.slice(0, 64))}; it has: ${names}.`);
  }
  const now = clock();
  const end = at === undefined ? now : momentOf('--at', at, desk);
  const left = await db.transaction().execute(async (trx) => {
    const [before] = (await listSecrets(trx, app, now)).filter((each) => each.name === name);
    if (before?.state === 'ended') {
      throw new DeskRefused(
        `The secret "${name}" of ${clientId} ended already, on ${utcMinute(before.endsAt ?? now)}.`,
      );
    }
    const ends = before?.endsAt ?? null;
    if (ends !== null && ends <= end) {
      throw new DeskRefused(`The secret "${name}" of ${clientId} ends sooner already, on ${utcMinute(ends)}.`);
    }
    if (!(await endSecret(trx, clientId, secret.sha256, end, now))) {
      throw new DeskRefused(`The secret "${name}" of ${clientId} has just been ended.`);
    }
    await audit(trx, {
      kind: 'client.secret-ended',
      actor: 'operator',
      subject: `client:${clientId}`,
      details: { name, at: end },
    });
    return (await listSecrets(trx, app, end)).filter((each) => each.state !== 'ended').length;
  });
  return [
    at === undefined
      ? `The secret "${name}" of ${clientId} has ended, at every server.`
      : `The secret "${name}" of ${clientId} ends on ${utcMinute(end)}, at every server.`,
    ...(left === 0 ? [`It is the last one: ${clientId} can sign nobody in from then on, until it has another.`] : []),
    `Change its line in ${config.clientsFile} to this, and have it reviewed:`,
    '',
    lineOf({ ...secret, expires_at: end.toISOString() }),
  ].join('\n');
}
