import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { lastDayOf } from '../families/eligible-students.js';
import { relationshipFacts } from './scope.js';
import type { ImportScope } from './scope.js';

/** Shares (0 to 1) above which a run is held. */
export interface Checks {
  /** Relationships ended, of the feed and of one school. */
  feed_share: number;
  school_share: number;
  /** Rows fewer than in the last file, or more that cannot be taken. */
  row_share: number;
}

/** What is known of the run besides its plan. */
export interface RunShape {
  read: number;
  layout: string;
  /** Of the feed's last bulk that was applied; null before the first. */
  last: { read: number; skipped: number; layout: string | null } | null;
  /** The shape the format is documented with, where it has one. */
  documented: string | null;
}

/** A school with fewer relationships is judged with its feed only: one child that moves away is no sign of a broken file there. */
const smallestSchool = 5;

/**
 * Why a run is held for a person: a half-written or filtered extract looks just like one in which many are missing. A relationship whose own
 * end date has passed is expected to leave and does not count.
 *
 * @param skipped rows that are not taken
 * @returns one clause per finding, without personal data; empty when the run may be applied
 */
export async function findings(
  trx: DatabaseTransaction,
  scope: ImportScope,
  checks: Checks,
  shape: RunShape,
  skipped: number,
): Promise<string[]> {
  return [
    ...shapeFindings(scope.kind, checks, shape),
    ...(scope.kind === 'bulk' ? skippedFindings(checks, shape, skipped) : []),
    ...(await missingFindings(trx, scope, checks)),
    ...(await turnedFindings(trx, scope, checks)),
  ];
}

function shapeFindings(kind: 'bulk' | 'delta', checks: Checks, { read, layout, last, documented }: RunShape): string[] {
  const found: string[] = [];
  const before = last?.layout ?? documented;
  const known = before === null || kind === 'bulk' ? before : partOf(before, layout);
  if (known !== null && layout !== known)
    found.push(`the columns are not those of before: ${layoutChange(known, layout)}`);
  if (kind === 'delta') return found;
  if (read === 0) found.push('the file has a header and no rows');
  else if (last !== null && read < last.read * (1 - checks.row_share)) {
    found.push(
      `it has ${read} rows, ${percent(last.read - read, last.read)} fewer than the ${last.read} of the last, more than ${percent(checks.row_share, 1)}`,
    );
  }
  return found;
}

/**
 * Of rows that cannot be taken what stands, stands: where dates or flags are said otherwise from one day on, nothing would change any more,
 * also where a right is refused, and every file would be applied.
 */
function skippedFindings({ row_share: share }: Checks, { read, last }: RunShape, skipped: number): string[] {
  if (last === null || skipped - last.skipped < fewest || skipped - last.skipped <= read * share) return [];
  return [
    `${skipped} of its ${read} rows cannot be taken, and ${last.skipped} of the ${last.read} before, more than ${percent(share, 1)}`,
  ];
}

/** A delta may leave out whole files of a set: of the layout of before, the lines of those that it brings. */
function partOf(before: string, layout: string): string {
  const files = layout.split('\n');
  if (files.length === 1) return before;
  const name = (line: string): string => line.replace(/:.*/, '');
  const brought = new Set(files.map(name));
  return before
    .split('\n')
    .filter((line) => brought.has(name(line)))
    .join('\n');
}

function layoutChange(known: string, layout: string): string {
  const before = known.split(/[,\n]/);
  const after = layout.split(/[,\n]/);
  const clipped = (names: string[]): string =>
    names
      .slice(0, 5)
      .map((name) => `"${name.slice(0, 60)}"`)
      .join(', ');
  const lost = before.filter((name) => !after.includes(name));
  const came = after.filter((name) => !before.includes(name));
  if (lost.length + came.length === 0) return 'their order changed';
  return [lost.length > 0 ? `${clipped(lost)} missing` : '', came.length > 0 ? `${clipped(came)} new` : '']
    .filter((part) => part !== '')
    .join(', ');
}

async function missingFindings(
  trx: DatabaseTransaction,
  { sis, today }: ImportScope,
  checks: Checks,
): Promise<string[]> {
  const { rows } = await sql<{ code: string; name: string; standing: number; missing: number }>`
    select h.code, h.name, count(*)::int as standing, count(m.relationship_id)::int as missing
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join schools h on h.id = s.school_id
      left join plan_missing m on m.relationship_id = r.id
    where r.ended_at is null and coalesce(r.end_date >= ${today}::date, true)
    group by h.id order by h.code`.execute(trx);
  const standing = rows.reduce((sum, row) => sum + row.standing, 0);
  const missing = rows.reduce((sum, row) => sum + row.missing, 0);
  const found: string[] = [];
  if (missing > standing * checks.feed_share) {
    found.push(
      `${missing} of the feed's ${standing} relationships (${percent(missing, standing)}) are missing, more than ${percent(checks.feed_share, 1)}`,
    );
  }
  const schools = rows.filter(
    (row) => row.standing >= smallestSchool && row.missing > row.standing * checks.school_share,
  );
  for (const row of schools.slice(0, 5)) {
    found.push(
      `${row.missing} of ${row.standing} relationships (${percent(row.missing, row.standing)}) at ${row.name} (${row.code}) are missing, more than ${percent(checks.school_share, 1)}`,
    );
  }
  if (schools.length > 5) found.push(`${schools.length - 5} more schools likewise`);
  return found;
}

/** What a relationship `r` says, and what it would say by a staged row `w`. */
const stands = (column: string): string => `r.${column}`;
const comes = (column: string): string => relationshipFacts.find(([name]) => name === column)?.[1] ?? 'null';

/** Whether that is a right by the policy of a feed `f`. */
function right(says: (column: string) => string): RawBuilder<boolean> {
  const said = ['ed_rights', 'portal_access', 'is_legal_guardian', 'relation'].map(says).join(', ');
  return sql.raw(`holds_right(${said}, f.unknown_rights)`);
}

/** Fewer than this are a day's corrections, whatever share they are. */
const fewest = 3;

/** What ends within so many days by a date that comes now ends before anybody has seen that the date is wrong. */
const soonDays = 7;

/** The last day of the parents' rights by a staged row `w` about a student of a feed `f`. */
const until = sql`rights_until(w.birth_date, w.rights_retained_until, f.eligible_students)`;

/**
 * A column that lost its meaning on the way, as by a new export or a spreadsheet that was sorted, leaves every row in its place: many
 * restrictions lifted, rights granted, end dates and birth dates of adults lost, protections ended, refused pickups granted, or addresses of
 * others at once would open students' records, or the school's door; without the addresses of students these could register, and by parents' that
 * stand as students' nobody can. Roll back comes late.
 * Rights that are gone, today or within days by a date that is new, children who are adults, or restrictions of many at once hide as much as
 * relationships that are missing; and restrictions are not taken back by a roll back.
 */
async function turnedFindings(
  trx: DatabaseTransaction,
  { runId, sis, today }: ImportScope,
  checks: Checks,
): Promise<string[]> {
  const soon = sql`(${today}::date + ${sql.lit(soonDays)})`;
  const { rows } = await sql<{ what: string; part: number; whole: number }>`
    select 'restrictions would be lifted' as what, count(*) filter (where p.restricted is false)::int as part, count(*)::int as whole
    from restrictions x join relationships r on r.id = x.relationship_id
      join students s on s.id = r.student_id and s.sis = ${sis} join contacts c on c.id = r.contact_id
      left join plan_pairs p on p.student_id = s.sis_id and p.contact_id = c.sis_id
    where x.lifted_at is null
    union all
    select 'relationships would be restricted', part, case when part < ${fewest} then 0 else (
      select count(*) from relationships r join students s on s.id = r.student_id and s.sis = ${sis} where r.ended_at is null)::int end
    from (
      select count(distinct r.id)::int as part
      from staged_rows w join students s on s.sis = ${sis} and s.sis_id = w.student_id
        join contacts c on c.sis = ${sis} and c.sis_id = w.contact_id
        join relationships r on r.student_id = s.id and r.contact_id = c.id and r.ended_at is null
        left join plan_pairs p on p.student_id = w.student_id and p.contact_id = w.contact_id
      where w.run_id = ${runId} and w.restricted and (w.problem is not null or p.restricted is not false)
        and not exists (select 1 from restrictions x where x.relationship_id = r.id and x.lifted_at is null)
    ) fresh
    union all
    select 'refused rights would be granted', count(*) filter (where w.states_rights and not w.gone
        and w.ed_rights is not false and w.portal_access is not false)::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis}
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and (r.ed_rights is false or r.portal_access is false)
    union all
    select 'contacts without a right would have one', count(*) filter (where not w.gone and ${right(comes)})::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join feeds f on f.sis = s.sis
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and r.ed_rights is not false and r.portal_access is not false and not ${right(stands)}
    union all
    select 'relationships that ended by their date would stand again', count(*) filter (where not w.gone and ${right(comes)}
        and coalesce(w.end_date >= ${today}::date, true))::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join feeds f on f.sis = s.sis
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and r.end_date < ${today}::date
    union all
    select 'relationships that begin on a later date would stand already', count(*) filter (where not w.gone and ${right(comes)}
        and coalesce(w.start_date <= ${today}::date, true) and coalesce(w.end_date >= ${today}::date, true))::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join feeds f on f.sis = s.sis
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and r.start_date > ${today}::date
    union all
    select 'refused pickups would be granted', count(*) filter (where not w.gone and w.pickup_ok)::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis}
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and r.pickup_ok is false
    union all
    select 'addresses of students would be other ones or gone',
      count(*) filter (where p.id is not null and w.student_email is distinct from s.email_normal)::int, count(*)::int
    from students s left join plan_students p on p.id = s.id
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where s.sis = ${sis} and s.current and s.email_normal is not null
    union all
    select 'addresses of contacts would be students'' own too',
      count(*) filter (where c.email in (
          select w.student_email from plan_students p join staged_rows w on w.run_id = ${runId} and w.row = p.row
          where w.student_email is not null)
        and not exists (select 1 from students s where s.email_normal = c.email))::int, count(*)::int
    from contacts c where c.sis = ${sis} and c.current and c.email is not null
    union all
    select 'rights would be gone', count(*) filter (where not w.gone and (not ${right(comes)}
        or w.end_date < ${today}::date or w.start_date > ${today}::date
        or w.end_date < ${soon} and coalesce(r.end_date >= ${soon}, true)))::int, count(*)::int
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join feeds f on f.sis = s.sis
      left join plan_pairs p on p.relationship_id = r.id and p.changed
      left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.ended_at is null and ${right(stands)} and coalesce(r.end_date >= ${today}::date, true)
      and coalesce(r.start_date <= ${today}::date, true)
    union all
    select 'students under 18 would be so no more', count(*) filter (where p.id is not null and (${until} < ${today}::date
        or ${until} < ${soon} and coalesce(${lastDayOf} >= ${soon}, true)))::int, count(*)::int
    from students s join feeds f on f.sis = s.sis
      left join plan_students p on p.id = s.id left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where s.sis = ${sis} and s.current and coalesce(${lastDayOf} >= ${today}::date, true)
    union all
    select 'protected students would be so no more', count(*) filter (where f.confidential is false)::int, count(*)::int
    from students s left join plan_vacated_students v on v.student_id = s.id
      left join plan_protected f on f.sis_id = coalesce(v.sis_id, s.sis_id)
    where s.sis = ${sis} and s.current and s.confidential
    union all
    select 'rights that passed to students would come back', count(*) filter (where p.id is not null
        and coalesce(${until} >= ${today}::date, true))::int, count(*)::int
    from students s join feeds f on f.sis = s.sis
      left join plan_students p on p.id = s.id left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where s.sis = ${sis} and s.current and ${lastDayOf} < ${today}::date
    union all
    select 'addresses would be other ones or gone', count(*) filter (where p.id is not null and w.email is distinct from c.email)::int, count(*)::int
    from contacts c left join plan_contacts p on p.id = c.id left join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where c.sis = ${sis} and c.current and c.email is not null`.execute(trx);
  return rows
    .filter(({ part, whole }) => part >= fewest && part > whole * checks.school_share)
    .map(
      ({ what, part, whole }) => `${part} of the feed's ${whole} ${what}, more than ${percent(checks.school_share, 1)}`,
    );
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
