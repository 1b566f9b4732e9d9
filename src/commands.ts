import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { StandingRefused } from './accounts/standing.js';
import { ConfigurationError, parseConfig } from './config.js';
import type { Config } from './config.js';
import { ControlRefused } from './control.js';
import { systemClock } from './database/clock.js';
import { FolderInUse } from './database/folder-lock.js';
import { migrate } from './database/migrate.js';
import { DeskRefused } from './desk/desk.js';
import { nothingChanged } from './desk/mail.js';
import { runAtDesk } from './desk/run.js';
import { addSecret } from './desk/secrets.js';
import { table, verdict } from './doctor/report.js';
import { allowsSamples, openDatabase } from './foundation.js';
import { UnknownFeed } from './imports.js';
import { migrateJobs } from './jobs/jobs.js';
import { WrongSecretsKey } from './keys/keys.js';
import { KeysRefused } from './keys/states.js';
import { ClientsFileError, clientsJsonSchema, readClientsFile } from './provider/clients-file.js';
import { progressOn } from './progress.js';
import { SampleRefused } from './sample-district.js';
import { FeedsFileError } from './sis/feeds-file.js';
import { FeedRefused } from './sis/feeds/format.js';
import { spooled } from './sis/places/spool.js';
import * as sample from './sis/sample/sample.js';

/** Where a command writes. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

// Control characters but tabs and line ends (of the last one the terminal gives the second half), and what turns the order of reading (Unicode TR 36, 3.4).
const obeyed = /(?![\t\n]|\r(?:\n|$))[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A terminal without what it would obey in the texts of a feed or an app: a school's name could hide lines, or put a command into the
 * clipboard of whoever reads it.
 */
function deaf({ out, err }: Terminal): Terminal {
  const plain = (text: string): string => text.replaceAll(obeyed, '\uFFFD');
  return { out: (text) => out(plain(text)), err: (text) => err(plain(text)) };
}

/** The command was refused; the message is one sentence. */
class Refused extends Error {}

const usage = `parent-access COMMAND

  serve                      run the server
  migrate                    bring the database to this version's schema
  doctor [--json]            look at everything the server stands on, and name the repairs
  import --feed NAME [--from PATH|-] [--delta] [--dry-run] [--again] [--whole] [--json]
                             import a feed from its place, a file or standard input
  import runs [--feed NAME] [--json]   the last runs, and which wait for a decision
  import approve|discard|rollback RUN --reason WHY   decide on a held run, or take an applied one back
  keys list [--json]         list the keys, their states and what comes next
  keys rotate [--now] [--use sig|cookie]   let the next keys sign
  keys revoke KID [--yes]    revoke a stolen key, and end what it could have signed
  clients check [--json]     check CLIENTS_FILE
  clients secret add CLIENT NAME [--expires DATE]   make a secret, and the line to review
  clients secret list CLIENT [--json]   an app's secrets, their end and last use
  clients secret expire CLIENT NAME [--at DATE]   end a secret, at once or then
  clients digest             read a secret from standard input and print its digest
  clients schema             print the JSON Schema of CLIENTS_FILE
  clients health [--client ID] [--json]    how each app answers to sign-outs
  deliveries list [--client ID] [--json]   what no app has confirmed
  deliveries retry --client ID             tell an app now what it refused or did not answer to
  accounts suspend|reopen|close --account WHO --reason WHY   WHO: id, e-mail or sign-in name
  sessions list|revoke --account WHO | --session ID | --client ID [--json]
  coverage [--feed NAME] [--by school|language|both] [--csv|--json]   who can register, and what hinders the others
  holds list [--contact SIS:ID] [--all] [--json]   relationships that a restriction elsewhere closed until staff decide
  holds release HOLD --reason WHY          let one count again
  contacts proposals [--all] [--json]      contacts that may be of an account, and what speaks for and against it
  contacts propose --account WHO --contact SIS:ID --reason WHY   propose one by hand
  contacts accept|decline|undo PROPOSAL --reason WHY   decide; undo also takes --account WHO --contact SIS:ID
  invitations status [--json]              how many wait, were sent, came back
  rights upcoming [--days 60] [--json]     students who turn 18 soon, by SIS id, and whose parents' rights then end
  mail bounce                read a delivery report from standard input
  mail unsuppress ADDRESS    let an address be invited again
  sample --contacts N --seed S --out DIR   write the synthetic district's extracts`;

type Environment = Record<string, string | undefined>;
type Command = (args: string[], config: () => Config, terminal: Terminal, environment: Environment) => Promise<void>;

/** A command that is one of the desk's and nothing more. */
function atDesk(name: string): Command {
  return async (args, config, { out }) => out(await runAtDesk(config(), name, args));
}

// What only one command needs is loaded by it: the server alone is more than all the others together.
const commands: Record<string, Command> = {
  async serve(_args, config, { out }) {
    const { serve } = await import('./serve.js');
    await serve(config(), out);
  },

  async migrate(_args, config, { out }) {
    const database = await openDatabase(config());
    try {
      const applied = await migrate(database.db);
      await migrateJobs(database.pool, database.kind);
      out(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}.`);
    } finally {
      await database.close();
    }
  },

  // Not by `config()`: the doctor tells also of a configuration that cannot be used.
  async doctor(args, _config, { out }, environment) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
    const { doctor } = await import('./doctor/doctor.js');
    const checks = await doctor(environment);
    out(values.json === true ? JSON.stringify(checks) : table(checks));
    const sentence = verdict(checks);
    if (sentence !== null) throw new Refused(sentence);
  },

  async import(args, config, terminal) {
    const at = args.indexOf('--from') + 1;
    const from = at === 0 ? undefined : args[at];
    const spool = from === '-' ? await spooled(process.stdin) : null;
    // The server may have another working folder.
    const place = spool?.path ?? (from === undefined ? undefined : resolve(from));
    const asked = place === undefined ? args : args.with(at, place);
    const write = process.stderr.isTTY ? (text: string) => void process.stderr.write(text) : null;
    try {
      terminal.out(await runAtDesk(config(), 'import', asked, progressOn(terminal, write)));
    } finally {
      await spool?.remove();
    }
  },

  keys: atDesk('keys'),

  async clients(args, config, { out }) {
    if (args[0] === 'secret') {
      const rest = args.slice(1);
      out(
        rest[0] === 'add' ? addSecret(config(), systemClock, rest.slice(1)) : await runAtDesk(config(), 'secret', rest),
      );
      return;
    }
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean' }, client: { type: 'string' } },
    });
    switch (positionals[0]) {
      case 'check': {
        const settings = config();
        const apps = readClientsFile(settings.clientsFile, {
          production: settings.production,
          demos: allowsSamples(settings),
        });
        const ids = apps.map((app) => app.client_id);
        out(values.json === true ? JSON.stringify(ids) : `${ids.length} apps, all in order: ${ids.join(', ')}.`);
        return;
      }
      case 'digest': {
        const secret = (await readAll(process.stdin)).trim();
        if (secret.length < 32)
          throw new Refused('A secret has 32 or more characters; make one with `openssl rand -base64 32`.');
        out(createHash('sha256').update(secret).digest('hex'));
        return;
      }
      case 'schema':
        out(JSON.stringify(clientsJsonSchema(), null, 2));
        return;
      case 'health':
        return out(await runAtDesk(config(), 'clients', args));
      default:
        throw new Refused(
          'Say what to do: clients check, clients secret, clients digest, clients schema or clients health.',
        );
    }
  },

  accounts: atDesk('accounts'),
  sessions: atDesk('sessions'),
  deliveries: atDesk('deliveries'),

  async coverage(args, config, { out }) {
    // The terminal ends the last line, which in CSV ends already.
    out((await runAtDesk(config(), 'coverage', args)).replace(/\n$/, ''));
  },

  holds: atDesk('holds'),
  contacts: atDesk('contacts'),
  invitations: atDesk('invitations'),
  rights: atDesk('rights'),

  async mail(args, config, { out }) {
    if (args.join(' ') !== 'bounce') return out(await runAtDesk(config(), 'mail', args));
    const { failedLetter, longestReport } = await import('./sis/invitations/bounce-report.js');
    const report = await atMost(process.stdin, longestReport);
    const messageId = report === null ? null : await failedLetter(report);
    out(messageId === null ? nothingChanged : await runAtDesk(config(), 'mail', ['bounced', messageId]));
  },

  async sample(args, _config, { out }) {
    const report = await sample.writeSample(sample.parseSampleArguments(args));
    out(
      `Wrote ${report.contacts} contacts of ${report.families} families in ${report.rows} rows: ${Object.values(report.files).join(', ')}.`,
    );
  },
};

/** What comes in, or null where it is longer than so many bytes; no more is read then. */
async function atMost(input: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > bytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What the machine or the database lacks, in one sentence that names the setting; null for a fault of ours. */
function lack(error: Error): string | null {
  const code = 'code' in error ? String(error.code) : '';
  const reason = error.message === '' ? code : error.message;
  if (code === 'EADDRINUSE')
    return `The PORT is in use by another program: stop that one, or give this one another PORT and ISSUER (${reason}).`;
  if (/^(ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|28\w{3}|3D000|53300|57P03)$/.test(code)) {
    return `The database of DATABASE_URL cannot be used: ${reason}.`;
  }
  if (/^(EACCES|EPERM|EROFS|ENOTDIR|ENOSPC)$/.test(code)) return `The DATA_DIR cannot be used: ${reason}.`;
  return null;
}

const refusals = [
  Refused,
  ConfigurationError,
  ClientsFileError,
  FeedsFileError,
  FolderInUse,
  UnknownFeed,
  FeedRefused,
  SampleRefused,
  sample.SampleRefused,
  ControlRefused,
  StandingRefused,
  DeskRefused,
  KeysRefused,
  WrongSecretsKey,
];

/**
 * Runs one command.
 *
 * @returns the exit code: 0 done, 2 refused (the reason is on standard error), 1 a fault of ours
 */
export async function run(args: string[], environment: Environment, reader: Terminal): Promise<number> {
  const terminal = deaf(reader);
  const [name = 'help', ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    terminal.err(usage);
    return name === 'help' || name === '--help' ? 0 : 2;
  }
  try {
    await command(rest, () => parseConfig(environment), terminal, environment);
    return 0;
  } catch (error) {
    const wrongArguments =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    if (error instanceof Error && (wrongArguments || refusals.some((kind) => error instanceof kind))) {
      terminal.err(error.message);
      return 2;
    }
    const sentence = error instanceof Error ? lack(error) : null;
    if (sentence !== null) {
      terminal.err(sentence);
      return 2;
    }
    terminal.err(error instanceof Error ? (error.stack ?? error.message) : 'An unknown fault.');
    return 1;
  }
}
