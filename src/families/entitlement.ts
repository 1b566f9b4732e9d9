import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database/database.js';

/** A child that an account may see, with the facts an app may be told. */
export interface EntitledStudent {
  studentId: string;
  sis: string;
  feed: string;
  givenName: string;
  familyName: string;
  grade: string | null;
  /** Null where the family is protected: the school's name would say where the child is. */
  schoolName: string | null;
  confidential: boolean;
  relation: string;
  /** The educational records may be seen (`ed_rights` yes, or unknown where the feed's policy allows). */
  records: boolean;
  /** May pick the child up; null when the SIS does not say. */
  pickup: boolean | null;
  /** Entitled to the child's meal account: whoever holds a right is. */
  meals: boolean;
  /** When the SIS last changed what is shown here; of a protected family, what it says of the person, because a change of school would show. */
  since: Date;
  /** The last day of it, `YYYY-MM-DD`, where the rights will pass to the student; null where no such day is known. */
  rightsUntil: string | null;
}

export interface EntitlementQuestion {
  accountId: string;
  now: Date;
  /** IANA name; a day begins and ends there. */
  timeZone: string;
}

// Making a format costs more than the query it is for.
const formats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day in a time zone, as `YYYY-MM-DD`. */
export function localDate(now: Date, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(now);
}

/**
 * The rights are the parents' still: they pass to the student on the 18th birthday (34 CFR 99.5), or later where the SIS says that
 * parents keep them (`rights_retained_until`); not at all where the feed's policy is `keep` or the birth date is unknown.
 *
 * @param alias of a row of `entitlements` or `relationship_rights`
 */
export function parentsHold(alias: string, today: string): RawBuilder<boolean> {
  return sql<boolean>`coalesce(${sql.ref(`${alias}.rights_until`)} >= ${today}::date, true)`;
}

/**
 * The part of the rule that depends on the day: the relationship has begun and not ended, the rights have not passed to the student,
 * and no restriction has begun. A restriction's own end date plays no part: it holds until the SIS says that it is gone.
 *
 * @param alias of a row of `entitlements` or `relationship_rights`
 */
export function holdsOn(alias: string, today: string): RawBuilder<boolean> {
  const row = (column: string) => sql.ref(`${alias}.${column}`);
  return sql<boolean>`(coalesce(${row('start_date')} <= ${today}::date, true)
    and coalesce(${row('end_date')} >= ${today}::date, true)
    and ${parentsHold(alias, today)}
    and not coalesce(${row('restricted_from')} <= ${today}::date, false))`;
}

/**
 * The children an account may see: the one entitlement rule, used by every claim, page and report. One statement.
 * A child reached through several of the account's contacts comes once, with the widest of their facts.
 *
 * @returns ordered by name; empty for an unknown account
 */
export async function entitledStudents(db: Database, question: EntitlementQuestion): Promise<EntitledStudent[]> {
  const today = localDate(question.now, question.timeZone);
  const { rows } = await sql<EntitledStudent>`
    select s.id as "studentId", s.sis, min(e.feed) as feed, s.given_name as "givenName", s.family_name as "familyName", s.grade,
      case when s.confidential is true then null else c.name end as "schoolName",
      s.confidential is true as confidential,
      (array_agg(e.relation order by e.explicit_right desc, e.relationship_id))[1] as relation,
      bool_or(e.records) as records,
      bool_and(e.pickup_ok) as pickup,
      true as meals,
      greatest(max(e.facts_loaded_at), case when s.confidential is not true then s.facts_loaded_at end) as since,
      min(e.rights_until)::text as "rightsUntil"
    from entitlements e join students s on s.id = e.student_id join schools c on c.id = s.school_id
    where e.account_id = ${question.accountId} and ${holdsOn('e', today)}
    group by s.id, c.name
    order by s.given_name, s.family_name, s.id`.execute(db);
  return rows;
}

/** Whether an account may see one child: the same rule. */
export async function isEntitled(
  db: Database,
  question: EntitlementQuestion & { studentId: string },
): Promise<boolean> {
  const today = localDate(question.now, question.timeZone);
  const { rows } = await sql`
    select 1 from entitlements e
    where e.account_id = ${question.accountId} and e.student_id = ${question.studentId} and ${holdsOn('e', today)}
    limit 1`.execute(db);
  return rows.length > 0;
}
