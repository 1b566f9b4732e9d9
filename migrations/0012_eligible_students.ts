import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `alter table feeds add column eligible_students text not null default 'end' check (eligible_students in ('end', 'keep'))`,
  // The last day on which parents hold the rights: that before the 18th birthday, or the one to which the school says that they keep
  // them. Who is born on 29 February turns 18 on 1 March; counted from the first of the month that comes out by itself.
  `create function rights_until(born date, retained_until date, policy text) returns date
     language sql immutable parallel safe as $$
     select case when policy = 'end' and born is not null then greatest(
       (born - date_part('day', born)::integer + 1 + interval '18 years')::date + date_part('day', born)::integer - 2,
       retained_until) end $$`,
  // As in 0001, with the day as one column more.
  `create or replace view relationship_rights as
   select r.id as relationship_id, r.contact_id, r.student_id, f.name as feed, f.sis, r.relation,
     r.ended_at is null as active,
     r.start_date, r.end_date,
     r.ed_rights is not false and r.portal_access is not false
       and (r.ed_rights is true or r.is_legal_guardian is true
         or (f.unknown_rights = 'allow' and r.relation in ('parent', 'guardian', 'foster_parent'))) as has_right,
     r.ed_rights is not false and r.portal_access is not false
       and (r.ed_rights is true or r.is_legal_guardian is true) as explicit_right,
     r.ed_rights is true or (r.ed_rights is null and f.unknown_rights = 'allow') as records,
     r.pickup_ok,
     (select min(coalesce(x.starts_on, date '-infinity')) from restrictions x
       where x.relationship_id = r.id and x.lifted_at is null) as restricted_from,
     exists (select 1 from relationship_holds h
       where h.relationship_id = r.id and h.decided_at is null) as held,
     r.facts_loaded_at,
     rights_until(s.birth_date, s.rights_retained_until, f.eligible_students) as rights_until
   from relationships r join students s on s.id = r.student_id join feeds f on f.sis = s.sis`,
  `create or replace view entitlements as
   select * from (
     select p.account_id, rr.relationship_id, rr.contact_id, rr.student_id, rr.feed, rr.sis, rr.relation, rr.active,
       rr.start_date, rr.end_date, rr.has_right, rr.explicit_right, rr.records, rr.pickup_ok, rr.facts_loaded_at,
       min(rr.restricted_from) over child as restricted_from,
       bool_or(rr.held) over child as held,
       rr.rights_until
     from proven_contacts p join relationship_rights rr on rr.contact_id = p.contact_id
     window child as (partition by p.account_id, rr.student_id)
   ) seen where active and has_right and not held`,
  // Whose rights end soon, or ended, is asked each day.
  'create index students_by_birth on students (birth_date) where current',
  'create index students_by_retained on students (rights_retained_until) where current and rights_retained_until is not null',
  // Of which students the parents' tokens ended, each day that was the last once.
  `create table rights_endings (
     student_id uuid not null references students (id) on delete cascade,
     last_day date not null,
     ended_at timestamptz not null,
     primary key (student_id, last_day)
   )`,
  // Who was told how many days before, each once; without an account it was the district's staff.
  `create table rights_notices (
     student_id uuid not null references students (id) on delete cascade,
     account_id uuid references accounts (id) on delete cascade,
     last_day date not null,
     days smallint not null check (days in (60, 7)),
     told_at timestamptz not null,
     constraint rights_notices_once unique nulls not distinct (student_id, account_id, last_day, days)
   )`,
];

/** The 18th birthday, on which the rights pass from the parents to the student (34 CFR 99.5), and who was told of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
