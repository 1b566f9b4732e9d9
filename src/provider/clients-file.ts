import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { jsonFault } from '../json-fault.js';
import { appSchema, contradictions } from './app-registration.js';
import type { AppRegistration } from './app-registration.js';

/** `clients.json` has something wrong in it; each problem names the place and the reason. */
export class ClientsFileError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ClientsFileError';
  }
}

const fileSchema = z.strictObject({ $schema: z.string().optional(), clients: z.array(z.unknown()) });

/** The JSON Schema of `clients.json`, for editors; the zod schema is its source. */
export function clientsJsonSchema(): unknown {
  return z.toJSONSchema(z.strictObject({ $schema: z.string().optional(), clients: z.array(appSchema) }), {
    io: 'input',
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ClientsFileError([`${path}: is not JSON${jsonFault(error)}`]);
  }
}

/** Where a problem stands: the app by its id where it has one, then the field. */
function place(entry: unknown, index: number, path: ReadonlyArray<PropertyKey>): string {
  const id =
    typeof entry === 'object' && entry !== null && 'client_id' in entry && typeof entry.client_id === 'string'
      ? entry.client_id
      : `number ${index + 1}`;
  return [`app ${id}`, ...path.map(String)].join(' › ');
}

function parseApp(entry: unknown, index: number, rules: ClientsFileRules, problems: string[]): AppRegistration | null {
  const parsed = appSchema.safeParse(entry);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${place(entry, index, issue.path)}: ${issue.message}`));
    return null;
  }
  for (const [path, reason] of contradictions(parsed.data, rules.production)) {
    if (path === 'secrets' && rules.secretsMayCome === true && parsed.data.secrets === undefined) continue;
    problems.push(`${place(entry, index, path.split('.'))}: ${reason}`);
  }
  return parsed.data;
}

interface ClientsFileRules {
  production: boolean;
  demos: boolean;
  secretsMayCome?: boolean;
}

/**
 * Reads and checks the district's apps.
 *
 * @param rules `production`: https everywhere and `initiate_login_uri`; `demos`: whether demo apps may be there;
 *   `secretsMayCome`: an app without any secret is about to get its first
 * @throws ClientsFileError naming every problem with its place
 */
export function readClientsFile(path: string, rules: ClientsFileRules): AppRegistration[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ClientsFileError([`${path}: cannot be read.`]);
  }
  const file = fileSchema.safeParse(parseJson(text, path));
  if (!file.success) {
    throw new ClientsFileError(
      file.error.issues.map((issue) => `${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}`),
    );
  }
  const problems: string[] = [];
  const apps = file.data.clients.flatMap((entry, index) => parseApp(entry, index, rules, problems) ?? []);
  const seen = new Set<string>();
  for (const app of apps) {
    if (seen.has(app.client_id)) problems.push(`app ${app.client_id}: stands twice in the file`);
    seen.add(app.client_id);
    if (app.demo && !rules.demos) {
      problems.push(`app ${app.client_id}: is a demo app; these exist only outside production, on a loopback issuer`);
    }
  }
  if (problems.length > 0) throw new ClientsFileError(problems);
  return apps;
}
