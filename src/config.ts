import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';

/** The environment is not one the server may start with; `problems` has a sentence for each variable. */
export class ConfigurationError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
  }
}

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function isRange(range: string): boolean {
  const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(range) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(prefix ?? 0) <= (family === 6 ? 128 : 32);
}

const issuer = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address', abort: true })
  .refine((value) => new URL(value).origin === value, 'must be an origin alone, without a path or a final slash');

const badPort = 'must be a port, 1 to 65535';
const port = z.coerce.number({ error: badPort }).int(badPort).min(1, badPort).max(65_535, badPort);
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const schema = z.object({
  NODE_ENV: z.string().default('development'),
  ISSUER: issuer.default('http://localhost:3000'),
  PORT: port.default(3000),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// connection string' }).optional(),
  CLIENTS_FILE: z.string().min(1).default('clients.json'),
  FEEDS_FILE: z.string().min(1).default('feeds.json'),
  TIME_ZONE: z.string().refine(isTimeZone, 'must be an IANA time zone').default('America/Los_Angeles'),
  SECRETS_KEY: z
    .string()
    .refine((value) => Buffer.from(value, 'base64url').length === 32, 'must be 32 bytes, base64url')
    .optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// address' }).optional(),
  MAIL_FROM: z.string().min(3).optional(),
  TRUSTED_PROXIES: z
    .string()
    .refine((value) => listed(value).every(isRange), 'must be addresses or CIDR ranges, separated by commas')
    .default(''),
  THROTTLE_SCALE: z.coerce.number({ error: 'must be a number' }).min(1, 'must be 1 or more').default(1),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
});

/** The one parsed, frozen configuration. Durations are nowhere in it: values of the domain stand in their own files. */
export interface Config {
  production: boolean;
  issuer: string;
  port: number;
  /** The address to listen on: loopback for a loopback issuer, else every interface. */
  host: string;
  loopback: boolean;
  dataDir: string;
  databaseUrl: string | null;
  clientsFile: string;
  feedsFile: string;
  /** The value of the Authorization header with which a feed is fetched, by the feed's name. */
  feedAuthorization: ReadonlyMap<string, string>;
  timeZone: string;
  /** 32 bytes, or null: outside production the data folder then keeps one. */
  secretsKey: Uint8Array | null;
  smtpUrl: string | null;
  mailFrom: string;
  /** Addresses or CIDR ranges of the proxies whose forwarding headers count. */
  trustedProxies: readonly string[];
  throttleScale: number;
  logLevel: string;
}

type Environment = Record<string, string | undefined>;

/** The value of `NAME`, or the content of the file that `NAME_FILE` names, as container secrets are handed over. */
function valueOf(environment: Environment, name: string, problems: string[]): string | undefined {
  const own = environment[name];
  if (own !== undefined && own !== '') return own;
  const file = name.endsWith('_FILE') ? undefined : environment[`${name}_FILE`];
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE: the file cannot be read.`);
    return undefined;
  }
}

function withFiles(environment: Environment, problems: string[]): Environment {
  const found: Environment = {};
  for (const name of Object.keys(schema.shape)) {
    const value = valueOf(environment, name, problems);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** `FEED_<NAME>_AUTHORIZATION`, by the names of the feeds. */
function feedAuthorization(environment: Environment, problems: string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const variable of Object.keys(environment)) {
    const [name, feed] = /^(FEED_([A-Z0-9_]+)_AUTHORIZATION)(?:_FILE)?$/.exec(variable)?.slice(1) ?? [];
    if (name === undefined || feed === undefined) continue;
    const value = valueOf(environment, name, problems);
    if (value === undefined) continue;
    if (/^[\x20-\x7e]+$/.test(value)) found.set(feed.toLowerCase().replaceAll('_', '-'), value);
    else problems.push(`${name}: must be the value of an Authorization header, such as "Bearer …", in one line.`);
  }
  return found;
}

/** What production refuses to start with (decision 16), a sentence each; said also where other variables are wrong. */
function productionProblems(values: Environment): string[] {
  const problems: string[] = [];
  if (values['ISSUER']?.startsWith('https:') !== true) problems.push('ISSUER: must be an https address in production.');
  if (values['SECRETS_KEY'] === undefined) {
    problems.push('SECRETS_KEY: is missing; make one with `openssl rand -base64 32 | tr +/ -_ | tr -d =`.');
  }
  if (values['SMTP_URL'] === undefined) problems.push('SMTP_URL: is missing; mails need a server.');
  if (values['MAIL_FROM'] === undefined) problems.push('MAIL_FROM: is missing; mails need a sender.');
  return problems;
}

/**
 * Parses the environment.
 *
 * @param environment usually `process.env`
 * @throws ConfigurationError naming every variable that is wrong or, in production, missing
 */
export function parseConfig(environment: Environment): Config {
  const problems: string[] = [];
  const found = withFiles(environment, problems);
  const authorization = feedAuthorization(environment, problems);
  const parsed = schema.safeParse(found);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}.`));
  }
  const production = found['NODE_ENV'] === 'production';
  if (production) problems.push(...productionProblems(found));
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems);
  const values = parsed.data;

  const loopback = loopbackHosts.has(new URL(values.ISSUER).hostname);
  return Object.freeze({
    production,
    issuer: values.ISSUER,
    port: values.PORT,
    host: loopback ? '127.0.0.1' : '0.0.0.0',
    loopback,
    dataDir: resolve(values.DATA_DIR),
    databaseUrl: values.DATABASE_URL ?? null,
    clientsFile: resolve(values.CLIENTS_FILE),
    feedsFile: resolve(values.FEEDS_FILE),
    feedAuthorization: authorization,
    timeZone: values.TIME_ZONE,
    secretsKey: values.SECRETS_KEY === undefined ? null : Buffer.from(values.SECRETS_KEY, 'base64url'),
    smtpUrl: values.SMTP_URL ?? null,
    mailFrom: values.MAIL_FROM ?? 'Parent Access <parent-access@localhost>',
    trustedProxies: listed(values.TRUSTED_PROXIES),
    throttleScale: values.THROTTLE_SCALE,
    logLevel: values.LOG_LEVEL,
  });
}
