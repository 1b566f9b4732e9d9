import { parseArgs } from 'node:util';
import { sealer } from '../database/secrets.js';
import { utcMinute } from '../locales/dates.js';
import { KeysRefused, listKeys, rotateKeys } from '../keys/states.js';
import type { KeyParts, ListedKey } from '../keys/states.js';
import { after, values } from '../values.js';
import { columns } from './desk.js';
import type { Desk, DeskCommand } from './desk.js';
import { costOfRevoking, revokeStolenKey } from './stolen-key.js';
import type { Cost } from './stolen-key.js';

const actor = 'operator';
const jwksMinutes = values.jwksCache / 60;

/** `keys list [--json] | rotate [--now] [--use sig|cookie] | revoke KID [--yes]` */
export const keysCommand: DeskCommand = async (desk, args) => {
  // By hand: the id of a key may begin with a hyphen.
  if (args[0] === 'revoke') {
    const [kid, ...more] = args.slice(1).filter((arg) => arg !== '--yes' && arg !== '--');
    if (kid === undefined || more.length > 0) throw new KeysRefused('Say which key: keys revoke KID [--yes].');
    return revoke(desk, kid, args.includes('--yes'));
  }
  const { values: given, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      now: { type: 'boolean', default: false },
      use: { type: 'string' },
    },
  });
  const what = positionals.join(' ');
  if (what === 'list') return list(desk, given.json);
  if (what === 'rotate') return rotate(desk, given.use, given.now);
  throw new KeysRefused('Say what to do: keys list, keys rotate or keys revoke KID.');
};

function partsOf({ db, clock, audit, secretsKey }: Desk): KeyParts {
  if (secretsKey === null) throw new KeysRefused('SECRETS_KEY is missing: a new key is sealed with it.');
  return { db, clock, audit, sealer: sealer(secretsKey) };
}

async function list({ db }: Desk, json: boolean): Promise<string> {
  const listed = await listKeys(db);
  if (json) return JSON.stringify(listed);
  if (listed.length === 0) return 'There are no keys yet: the first start of a server makes them.';
  const row = (key: ListedKey): string[] => [
    key.kid,
    key.use,
    key.alg,
    key.state,
    utcMinute(key.createdAt),
    key.becameCurrentAt === null ? '' : utcMinute(key.becameCurrentAt),
    key.nextStepAt === null ? 'never changes' : `${key.nextStep ?? ''} ${utcMinute(key.nextStepAt)}`,
  ];
  return columns([['kid', 'use', 'alg', 'state', 'created', 'became current', 'next step'], ...listed.map(row)]);
}

async function rotate(desk: Desk, use: string | undefined, now: boolean): Promise<string> {
  if (use !== undefined && use !== 'sig' && use !== 'cookie') throw new KeysRefused('The use is sig or cookie.');
  const parts = partsOf(desk);
  const done = await rotateKeys(parts, { use, now, actor });
  const at = desk.clock();
  const lines = done.map(
    ({ alg, from, to }) => `${alg}: ${to} signs; ${from} verifies until ${utcMinute(after(at, values.keyVerifies))}.`,
  );
  const early = done.filter((each) => each.early).map((each) => each.use);
  if (early.includes('sig')) {
    lines.push(
      `Apps whose copy of the key set is older may refuse sign-ins until ${utcMinute(after(at, values.jwksCache))}.`,
    );
  }
  if (early.includes('cookie')) {
    lines.push(
      `Servers that have not seen the new key yet lose sign-ins under way, for ${values.keysLookedAt} seconds.`,
    );
  }
  return lines.join('\n');
}

/** What revoking a key costs, in words. */
function costs({ use, state, sessions, signed, unknownUntil }: Cost): string {
  const copies = `apps may take its signatures for ${jwksMinutes} minutes more, from their copy of the key set`;
  // It is published before it signs: whoever has it can make ID tokens as well as with the one that does.
  if (signed === null) return `no sign-in, because it never signed${use === 'sig' ? `; ${copies}` : ''}`;
  const span =
    signed.until === null
      ? `since ${utcMinute(signed.since)}`
      : `between ${utcMinute(signed.since)} and ${utcMinute(signed.until)}`;
  const words = [`${sessions} ${sessions === 1 ? 'sign-in' : 'sign-ins'}, all that were in use ${span}`];
  if (use === 'cookie') words.push('sign-ins under way begin again');
  else words.push(copies);
  if (use === 'sig' && state === 'current' && unknownUntil !== null) {
    words.push(`apps may refuse sign-ins until ${utcMinute(unknownUntil)}, because the next key is new to them`);
  }
  return words.join('; ');
}

async function revoke(desk: Desk, kid: string, yes: boolean): Promise<string> {
  if (!yes) {
    const cost = await costOfRevoking(desk.db, desk.clock, kid);
    throw new KeysRefused(`Revoking this ${cost.state} ${cost.alg} key ends ${costs(cost)}: say --yes to do it.`);
  }
  const cost = await revokeStolenKey(partsOf(desk), kid, actor, desk.keysFollowed);
  return `Revoked the ${cost.state} ${cost.alg} key ${kid}. It ended ${costs(cost)}.`;
}
