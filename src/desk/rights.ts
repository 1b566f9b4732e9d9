import { parseArgs } from 'node:util';
import { accountsThatSee, daysAfter, rightsThatEnd } from '../families/eligible-students.js';
import { localDate } from '../families/entitlement.js';
import { DeskRefused, columns } from './desk.js';
import type { DeskCommand } from './desk.js';

/** A year: those who turn 18 within a school year, and no more than a terminal can take. */
const mostDays = 366;

/** `rights upcoming [--days 60] [--json]`: the students whose parents' rights end soon, by their SIS id and not by name. */
export const rightsCommand: DeskCommand = async (desk, args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { days: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (positionals.join(' ') !== 'upcoming') throw new DeskRefused('Say what to do: rights upcoming.');
  const days = Number(values.days ?? '60');
  if (!Number.isInteger(days) || days < 1 || days > mostDays) {
    throw new DeskRefused(`--days must be a whole number from 1 to ${mostDays}.`);
  }
  const today = localDate(desk.clock(), desk.config.timeZone);
  const ending = await rightsThatEnd(desk.db, { today, days });
  const seeing = await accountsThatSee(desk.db, { students: ending.map(({ studentId }) => studentId), today });
  const accounts = Map.groupBy(seeing, ({ studentId }) => studentId);
  const listed = ending.map((each) => ({
    feed: each.feed,
    student: each.sisId,
    // Where a protected child is goes on no list.
    schoolCode: each.confidential ? null : each.schoolCode,
    school: each.confidential ? null : each.schoolName,
    lastDay: each.lastDay,
    endsOn: daysAfter(each.lastDay, 1),
    accounts: accounts.get(each.studentId)?.length ?? 0,
  }));
  if (values.json === true) return JSON.stringify(listed);
  if (listed.length === 0) return 'There are none.';
  return columns([
    ['feed', 'student', 'school', '', 'last day', 'accounts'],
    ...listed.map(({ feed, student, schoolCode, school, lastDay, accounts: count }) => [
      feed,
      student,
      schoolCode ?? 'withheld',
      school ?? '',
      lastDay,
      String(count),
    ]),
  ]);
};
