import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database/database.js';
import { holdsOn } from './entitlement.js';

/** A student whose parents' rights end on a known day. */
export interface EndingRights {
  studentId: string;
  feed: string;
  /** Of the student, in the SIS. */
  sisId: string;
  schoolCode: string;
  schoolName: string;
  /** The family is protected. */
  confidential: boolean;
  /** The last day on which parents hold the rights, `YYYY-MM-DD`. */
  lastDay: string;
  /** Days from today to the first on which they do not; 1 is tomorrow. */
  daysLeft: number;
  /** The student is 18 already, and the SIS says that the parents keep the rights until this day. */
  kept: boolean;
}

/** The last day on which parents hold the rights to a student `s` of a feed `f`; the same as the column of the views. */
export const lastDayOf: RawBuilder<unknown> = sql`rights_until(s.birth_date, s.rights_retained_until, f.eligible_students)`;

/**
 * The students to whom somebody holds a right today that ends within so many days, the soonest first.
 *
 * @param today `YYYY-MM-DD` in the district's time zone
 * @param days 1 is those whose rights end tomorrow
 */
export async function rightsThatEnd(
  db: Database,
  { today, days }: { today: string; days: number },
): Promise<EndingRights[]> {
  // Two days more than needed on either side, for 29 February: the index finds few, and the rule decides.
  const { rows } = await sql<EndingRights>`
    with ending as materialized (
      select s.id, s.sis_id, s.school_id, s.confidential, f.name as feed, ${lastDayOf} as last_day,
        rights_until(s.birth_date, null, 'end') as last_minor_day
      from students s join feeds f on f.sis = s.sis
      where s.current and (
        s.birth_date between (${today}::date - interval '18 years')::date - 2
          and (${today}::date + ${days}::integer - interval '18 years')::date + 2
        or s.rights_retained_until between ${today}::date and ${today}::date + ${days}::integer)
    )
    select e.id as "studentId", e.feed, e.sis_id as "sisId", h.code as "schoolCode", h.name as "schoolName",
      e.confidential is true as confidential, e.last_day::text as "lastDay", e.last_day + 1 - ${today}::date as "daysLeft",
      e.last_day > e.last_minor_day as kept
    from ending e join schools h on h.id = e.school_id
    where e.last_day >= ${today}::date and e.last_day < ${today}::date + ${days}::integer
      and exists (select from relationship_rights rr
        where rr.student_id = e.id and rr.active and rr.has_right and not rr.held and ${holdsOn('rr', today)})
    order by e.last_day, e.feed, h.code, e.sis_id`.execute(db);
  return rows;
}

/** Which accounts see which of the students today: the one rule, asked from the students' side. */
export async function accountsThatSee(
  db: Database,
  { students, today }: { students: readonly string[]; today: string },
): Promise<Array<{ accountId: string; studentId: string }>> {
  const { rows } = await sql<{ accountId: string; studentId: string }>`
    select distinct e.account_id as "accountId", e.student_id as "studentId" from entitlements e
    where e.student_id = any(${[...students]}::uuid[]) and ${holdsOn('e', today)}
    order by 1, 2`.execute(db);
  return rows;
}

/** The calendar day so many days later. @param day `YYYY-MM-DD` */
export function daysAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
