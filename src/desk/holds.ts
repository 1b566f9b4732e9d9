import { parseArgs } from 'node:util';
import { findContact } from '../accounts/join-decisions.js';
import { readReason } from '../accounts/standing.js';
import { HoldRefused, listHolds, mostHolds, releaseHold } from '../families/holds.js';
import { utcMinute } from '../locales/dates.js';
import { DeskRefused, columns } from './desk.js';
import type { DeskCommand } from './desk.js';

const options = {
  contact: { type: 'string' },
  all: { type: 'boolean' },
  json: { type: 'boolean' },
  reason: { type: 'string' },
} as const;

/** `holds list [--contact SIS:ID] [--all] [--json]` and `holds release HOLD --reason WHY`. */
export const holdsCommand: DeskCommand = async (desk, args) => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const [verb, hold, ...more] = positionals;
  if (verb === 'list' && hold === undefined) {
    // A contact that is spelt wrong must not read as one that nothing holds.
    if (values.contact !== undefined) await findContact(desk.db, values.contact);
    const listed = await listHolds(desk.db, { contact: values.contact ?? null, all: values.all === true });
    if (values.json === true) return JSON.stringify(listed);
    if (listed.length === 0) return 'There are none.';
    const heading = ['hold', 'contact', 'student', 'because of', 'on', 'since', 'decided'];
    const lines = listed.map(({ id, contact, student, cause, placedAt, decidedAt }) => [
      id,
      contact,
      student,
      cause.type.replaceAll('_', ' ') + (cause.lifted ? ' (lifted)' : ''),
      `${cause.contact} with ${cause.student}`,
      utcMinute(placedAt),
      decidedAt === null ? 'no' : utcMinute(decidedAt),
    ]);
    return (
      columns([heading, ...lines]) + (listed.length === mostHolds ? `\nOnly the first ${mostHolds} are shown.` : '')
    );
  }
  if (verb !== 'release') throw new DeskRefused('Say what to do: holds list, or holds release HOLD.');
  if (hold === undefined || more.length > 0) {
    throw new DeskRefused('Say which: holds release HOLD; `holds list` lists them.');
  }
  const reason = readReason(values.reason ?? '');
  try {
    await releaseHold(desk.db, desk, hold, { actor: 'operator', reason });
  } catch (error) {
    throw error instanceof HoldRefused ? new DeskRefused(error.message) : error;
  }
  return 'Released: this restriction holds the relationship no more; what else holds or restricts it still does.';
};
