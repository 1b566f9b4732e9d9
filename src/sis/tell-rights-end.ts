import { sql } from 'kysely';
import { mailboxState } from '../accounts/account.js';
import { rightsEndLetter, rightsEndStaffLetter } from '../accounts/letters.js';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { isStudentAddress } from '../families/candidates.js';
import { accountsThatSee, daysAfter, rightsThatEnd } from '../families/eligible-students.js';
import type { EndingRights } from '../families/eligible-students.js';
import { localDate } from '../families/entitlement.js';
import { formatDay } from '../locales/dates.js';
import { translator } from '../locales/translate.js';
import type { Locale } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import { values } from '../values.js';

export interface RightsEndParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  post: PostLetter;
  timeZone: string;
  studentDomains: readonly string[];
  /** The district's staff who are told; nobody is where there are none. */
  administrators: readonly string[];
}

/** What one run told. */
export interface RightsEndTold {
  /** Letters to parents. */
  letters: number;
  /** Students of whom staff were told. */
  students: number;
}

/** Accounts that are written to in one transaction: on the embedded database sign-ins wait for it. */
const batch = 50;

/** Which of the two notices is due: an outage makes the first one late, and whoever is so late that the second is due gets that alone. */
function noticeFor(daysLeft: number): number {
  const { soon, later } = values.rightsNotices;
  return daysLeft <= soon ? soon : later;
}

/**
 * Tells parents and staff 60 and 7 days before the rights pass to a student who turns 18, or before those end that the SIS let parents
 * keep. Each is told once per student, day and notice, whatever runs at once or again; where the day moves, anew. A letter has nobody's
 * name and no school; to staff goes one letter a run, with numbers. Who is restricted holds no right, and gets none.
 */
export async function tellRightsEnd(parts: RightsEndParts): Promise<RightsEndTold> {
  const { db, clock, timeZone } = parts;
  const today = localDate(clock(), timeZone);
  const ending = await rightsThatEnd(db, { today, days: values.rightsNotices.later });
  let letters = 0;
  // Those who end on one day share a letter: twins are not told of twice.
  for (const sameDay of Map.groupBy(ending, ({ lastDay, kept }) => `${lastDay} ${kept}`).values()) {
    letters += await tellParents(parts, today, sameDay);
  }
  return await db.transaction().execute(async (trx) => {
    const students = await tellStaff(trx, parts, ending);
    if (letters + students > 0) {
      await parts.audit(trx, { kind: 'rights.end-told', actor: 'system', details: { today, letters, students } });
    }
    return { letters, students };
  });
}

async function tellParents(parts: RightsEndParts, today: string, sameDay: readonly EndingRights[]): Promise<number> {
  const [first] = sameDay;
  if (first === undefined) return 0;
  const { lastDay, kept } = first;
  const days = noticeFor(first.daysLeft);
  const due = await untold(parts.db, { students: sameDay.map(({ studentId }) => studentId), lastDay, days, today });
  let letters = 0;
  for (let from = 0; from < due.length; from += batch) {
    letters += await parts.db.transaction().execute(async (trx) => {
      let posted = 0;
      for (const { accountId, students } of due.slice(from, from + batch)) {
        const mailbox = await mailboxOf(trx, accountId, { today, studentDomains: parts.studentDomains });
        if (mailbox === null) continue;
        const fresh = await noteTold(trx, { accountId, students, lastDay, days, now: parts.clock() });
        if (fresh.length === 0) continue;
        const { to, locale } = mailbox;
        const day = formatDay(kept ? lastDay : daysAfter(lastDay, 1), locale, today);
        await parts.post(trx, {
          to,
          ...rightsEndLetter(translator(locale), { day, students: fresh.length, kept }),
        });
        posted += 1;
      }
      return posted;
    });
  }
  return letters;
}

/** The accounts that see these students and were not told of all. */
async function untold(
  db: Database,
  { students, lastDay, days, today }: { students: string[]; lastDay: string; days: number; today: string },
): Promise<Array<{ accountId: string; students: string[] }>> {
  const seeing = await accountsThatSee(db, { students, today });
  const { rows } = await sql<{ key: string }>`
    select account_id || ' ' || student_id as key from rights_notices
    where student_id = any(${students}::uuid[]) and account_id is not null and last_day = ${lastDay}::date and days = ${days}`.execute(
    db,
  );
  const told = new Set(rows.map(({ key }) => key));
  const left = seeing.filter(({ accountId, studentId }) => !told.has(`${accountId} ${studentId}`));
  return [...Map.groupBy(left, ({ accountId }) => accountId)].map(([accountId, of]) => ({
    accountId,
    students: of.map(({ studentId }) => studentId),
  }));
}

/** @returns the students of whom nobody had told this account (or staff, where it is null) */
async function noteTold(
  trx: Database,
  told: { accountId: string | null; students: readonly string[]; lastDay: string; days: number; now: Date },
): Promise<string[]> {
  const { rows } = await sql<{ student_id: string }>`
    insert into rights_notices (student_id, account_id, last_day, days, told_at)
    select student, ${told.accountId}::uuid, ${told.lastDay}::date, ${told.days}, ${told.now}
    from unnest(${[...told.students]}::uuid[]) student order by student
    on conflict do nothing returning student_id`.execute(trx);
  return rows.map((row) => row.student_id);
}

/**
 * Where an account may be written to without having asked: its proven mailbox, unless a feed gave that to somebody else, it became a
 * student's, or somebody else on it is restricted, who would learn that the family is still here:
 * by what a feed says, or by an account of theirs that uses it, whatever address the school has for them by now.
 * A report that a letter came back, or a mail server's refusal, counts for invitations alone: whoever reads the mailbox can write the one,
 * the student of 17 too, and cause the other, by filling it for as long as it takes to ask for a letter.
 *
 * @returns null where there is no such place, or the account is stopped
 */
async function mailboxOf(
  trx: Database,
  accountId: string,
  { today, studentDomains }: { today: string; studentDomains: readonly string[] },
): Promise<{ to: string; locale: Locale } | null> {
  const { rows } = await sql<{ id: string; email: string; locale: string }>`
    select id, email, locale from accounts a
    where id = ${accountId} and disabled_at is null
      and not exists (
        select from (
          select c.id from contacts c where c.email = a.email
          union
          select q.contact_id from accounts b join proven_contacts q on q.account_id = b.id where b.email = a.email
        ) c join relationship_rights rr on rr.contact_id = c.id
        where (rr.held or rr.restricted_from <= ${today}::date)
          and not exists (select from proven_contacts p where p.contact_id = c.id and p.account_id = a.id))`.execute(
    trx,
  );
  const [account] = rows;
  if (account === undefined || (await mailboxState(trx, account)).suspended) return null;
  if (await isStudentAddress(trx, account.email, studentDomains)) return null;
  return { to: account.email, locale: account.locale === 'es' ? 'es' : 'en' };
}

/** One letter to each administrator about the students of whom staff were not told yet. @returns how many students */
async function tellStaff(trx: Database, parts: RightsEndParts, ending: readonly EndingRights[]): Promise<number> {
  if (parts.administrators.length === 0) return 0;
  const now = parts.clock();
  const told: Array<EndingRights & { days: number }> = [];
  for (const sameDay of Map.groupBy(ending, ({ lastDay }) => lastDay).values()) {
    const [first] = sameDay;
    if (first === undefined) continue;
    const days = noticeFor(first.daysLeft);
    const students = sameDay.map(({ studentId }) => studentId);
    const fresh = new Set(await noteTold(trx, { accountId: null, students, lastDay: first.lastDay, days, now }));
    told.push(...sameDay.filter(({ studentId }) => fresh.has(studentId)).map((each) => ({ ...each, days })));
  }
  if (told.length === 0) return 0;
  const { soon, later } = values.rightsNotices;
  // The list that this letter names has protected students without their school: a count by school must not say it.
  const key = ({ confidential, feed, schoolCode }: EndingRights): string =>
    confidential ? '' : `${feed} ${schoolCode}`;
  const schools = [...Map.groupBy(told, key).values()]
    .flatMap((at) => {
      const count = (days: number): number => at.filter((each) => each.days === days).length;
      return at.slice(0, 1).map(({ confidential, schoolName }) => ({
        school: confidential ? null : schoolName,
        soon: count(soon),
        later: count(later),
      }));
    })
    .toSorted(
      (a, b) =>
        Number(a.school === null) - Number(b.school === null) || String(a.school).localeCompare(String(b.school)),
    );
  const letter = rightsEndStaffLetter(translator('en'), { schools });
  for (const to of parts.administrators) await parts.post(trx, { to, ...letter });
  return told.length;
}
