import { ConfigurationError, parseConfig } from '../config.js';
import type { Config } from '../config.js';
import { failed, ok, warning } from './check.js';
import type { Check } from './check.js';

type Environment = Record<string, string | undefined>;

/** The configuration as far as it can be used. */
export interface ReadConfiguration {
  config: Config;
  /** Variables that are wrong or missing: what stands on them is not checked. */
  broken: ReadonlySet<string>;
  checks: Check[];
}

/** Reads the environment; a wrong variable is told, and hides none of the others. */
export function readConfiguration(environment: Environment): ReadConfiguration {
  try {
    const config = parseConfig(environment);
    return { config, broken: new Set(), checks: [ok('configuration', sentence(config)), ...doubts(config)] };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const checks = error.problems.map((problem) => {
      const [name = '', ...rest] = problem.split(':');
      return failed(
        `configuration ${name}`,
        `${name}${rest.join(':')}`.replaceAll(/\s+/g, ' '),
        `Set ${name} as the table of variables in the README says, then start the server again.`,
      );
    });
    const broken = new Set(error.problems.map((problem) => variableOf(problem)));
    const config = parseConfig(withoutThem(environment, broken));
    const production = environment['NODE_ENV'] === 'production';
    return { config: { ...config, production }, broken, checks: [...checks, ...doubts(config)] };
  }
}

/** `SMTP_URL_FILE: the file cannot be read.` is about SMTP_URL. */
function variableOf(problem: string): string {
  const name = problem.split(':')[0] ?? '';
  return name === 'CLIENTS_FILE' || name === 'FEEDS_FILE' ? name : name.replace(/_FILE$/, '');
}

function withoutThem(environment: Environment, broken: ReadonlySet<string>): Environment {
  const kept = Object.entries(environment).filter(([name]) => !broken.has(name) && !broken.has(variableOf(name)));
  // Production refuses what is missing; here that has been said already.
  return { ...Object.fromEntries(kept), NODE_ENV: 'development' };
}

function sentence({ production, issuer, databaseUrl }: Config): string {
  const database = databaseUrl === null ? 'the embedded database' : 'PostgreSQL';
  return `${production ? 'Production' : 'Development'} at ${issuer} on ${database}.`;
}

/** What is allowed and is still seldom meant. */
function doubts(config: Config): Check[] {
  const found: Check[] = [];
  if (config.throttleScale > 1) {
    found.push(
      warning(
        'throttles',
        `THROTTLE_SCALE is ${config.throttleScale}: every limit against guessing is that many times wider.`,
        'Remove THROTTLE_SCALE and start the server again.',
      ),
    );
  }
  if (!config.production && !config.loopback) {
    found.push(
      warning(
        'production',
        `The issuer ${config.issuer} is no loopback address, and NODE_ENV is not "production".`,
        'Set NODE_ENV=production and what it then asks for.',
      ),
    );
  }
  if (config.production && config.loopback) {
    found.push(
      warning(
        'issuer',
        `ISSUER is the loopback address ${config.issuer}: nobody else can open it, and the server listens on loopback only.`,
        'Set ISSUER to the https address that parents open.',
      ),
    );
  }
  if (config.production && config.trustedProxies.length === 0) {
    found.push(
      warning(
        'proxies',
        'TRUSTED_PROXIES is empty: behind a proxy all parents count as one source, and limits shut everybody out together.',
        'Set TRUSTED_PROXIES to the addresses of the proxy that ends TLS.',
      ),
    );
  }
  if (config.production && config.databaseUrl === null) {
    found.push(
      warning(
        'database kind',
        'The embedded database is for a try or a small school, not for a district.',
        'Set DATABASE_URL to a PostgreSQL 15 or newer.',
      ),
    );
  }
  if (config.logLevel === 'silent') {
    found.push(warning('log', 'LOG_LEVEL is silent: nothing is logged.', 'Set LOG_LEVEL to info.'));
  }
  return found;
}
