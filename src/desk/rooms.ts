import { parseArgs } from 'node:util';
import { utcMinute } from '../locales/dates.js';
import { administer } from './administration.js';
import { columns } from './desk.js';
import type { DeskCommand } from './desk.js';

const options = {
  account: { type: 'string' },
  session: { type: 'string' },
  client: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/**
 * The commands of one room.
 *
 * @param room `accounts`, `sessions`, `clients` or `deliveries`
 */
export function roomCommand(room: string): DeskCommand {
  return async (desk, args) => {
    const { values, positionals } = parseArgs({ args: bound(args), allowPositionals: true, options });
    const { json, ...asked } = values;
    const name = [room, ...positionals].join(' ');
    const answer = await administer(desk, name, asked);
    desk.tellApps();
    return json === true ? JSON.stringify(answer) : inWords(name, answer);
  };
}

/** Binds each value to the option before it: the id of a session may begin with a hyphen, and read as an option. */
function bound(args: readonly string[]): string[] {
  const takesValue = (arg: string | undefined): boolean =>
    Object.entries(options).some(([name, { type }]) => type === 'string' && arg === `--${name}`);
  const isOption = (arg: string): boolean => Object.keys(options).some((name) => arg === `--${name}`);
  return args.flatMap((arg, index) => {
    if (takesValue(args[index - 1]) && !isOption(arg)) return [];
    const value = args[index + 1];
    return takesValue(arg) && value !== undefined && !isOption(value) ? [`${arg}=${value}`] : [arg];
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** How many a list has at most. */
const mostShown: Readonly<Record<string, number>> = { 'sessions list': 50, 'deliveries list': 100 };

/** What is told where no JSON is asked for. */
function inWords(name: string, answer: object): string {
  if (!Array.isArray(answer)) return table([answer as Fields]);
  if (answer.length === 0) return 'There are none.';
  const more = answer.length >= (mostShown[name] ?? Infinity) ? `\nOnly the first ${answer.length} are shown.` : '';
  return table(answer as Fields[]) + more;
}

function table(rows: readonly Fields[]): string {
  const names = Object.keys(rows[0] ?? {});
  return columns([names.map(spaced), ...rows.map((row) => names.map((name) => cell(row[name])))]);
}

/** `lastUsedAt` as "last used at". */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return utcMinute(value);
  if (Array.isArray(value)) return value.map(cell).join(', ') || 'none';
  if (typeof value !== 'object') return typeof value === 'string' ? value : JSON.stringify(value);
  // Of an app its id says which, and of a failed try all that is known.
  if ('clientId' in value) return cell(value.clientId);
  return Object.values(value).map(cell).filter(Boolean).join(' ');
}
