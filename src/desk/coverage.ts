import { parseArgs } from 'node:util';
import { contactStates } from '../families/contact-states.js';
import { localDate } from '../families/entitlement.js';
import { coverage } from '../sis/coverage.js';
import type { Coverage, CoverageQuestion, CoverageRow, StateCounts } from '../sis/coverage.js';
import { csv } from '../ui/csv.js';
import { DeskRefused, columns } from './desk.js';
import type { DeskCommand } from './desk.js';

const onceEach = 'each contact once';
const sentence =
  'A contact with children at two schools counts at each; the last line counts each contact once. Who is in both systems is a contact of each.';

/** `coverage [--feed NAME] [--by school|language|both] [--csv|--json]`: how many contacts can register, and what hinders the others. */
export const coverageCommand: DeskCommand = async (desk, args) => {
  const { values } = parseArgs({
    args,
    options: {
      feed: { type: 'string' },
      by: { type: 'string' },
      csv: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const by = values.by ?? 'both';
  if (by !== 'school' && by !== 'language' && by !== 'both') {
    throw new DeskRefused('Say by what to count: --by school, --by language or --by both.');
  }
  if (values.csv === true && values.json === true) throw new DeskRefused('Say --csv or --json, not both.');
  const feeds = await desk.feeds();
  const feed = values.feed ?? null;
  if (feed !== null && feeds.feeds.every(({ name }) => name !== feed)) {
    throw new DeskRefused(`There is no such feed. The feeds are: ${feeds.feeds.map(({ name }) => name).join(', ')}.`);
  }
  const today = localDate(desk.clock(), desk.config.timeZone);
  const found = await coverage(desk.db, { feed, by, today, studentDomains: feeds.student_domains });
  if (values.json === true) return JSON.stringify({ ...found, note: sentence });
  const lines = linesOf(found, by);
  if (values.csv === true) return csv(lines);
  const [head = [], ...body] = lines;
  const inWords = [head.map((name) => String(name).replaceAll('_', ' ')), ...body.map((cells) => cells.map(String))];
  return `${columns(inWords)}\n\n${sentence}`;
};

/** The header, a line for each school, language or both, and the total. */
function linesOf({ rows, total }: Coverage, by: CoverageQuestion['by']): Array<Array<string | number>> {
  const places = by === 'language' ? [] : ['feed', 'school code', 'school'];
  const head = by === 'school' ? places : [...places, 'language'];
  const body = rows.map((row) => [...named(row, by), ...numbers(row.counts)]);
  const last = ['total', ...head.slice(1).map((_name, index) => (index === 0 ? onceEach : ''))];
  if (last.length === 1) last[0] = `total, ${onceEach}`;
  return [[...head, ...contactStates, 'contacts'], ...body, [...last, ...numbers(total)]];
}

function named(row: CoverageRow, by: CoverageQuestion['by']): string[] {
  const places = by === 'language' ? [] : [row.feed ?? '', row.schoolCode ?? '', row.school ?? 'no school now'];
  return by === 'school' ? places : [...places, row.language ?? 'not known'];
}

function numbers(counts: StateCounts): number[] {
  return [...contactStates.map((state) => counts[state]), counts.contacts];
}
