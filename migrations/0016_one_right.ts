import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  // What a right is, by what the SIS says and the feed's policy for what it does not say; for the view, and for the checks of an import.
  // "Or replace", because a database that was brought up while this was written has it already.
  `create or replace function holds_right(ed_rights boolean, portal_access boolean, is_legal_guardian boolean, relation text, policy text)
     returns boolean language sql immutable parallel safe as $$
     select ed_rights is not false and portal_access is not false
       and (ed_rights is true or is_legal_guardian is true
         or (policy = 'allow' and relation in ('parent', 'guardian', 'foster_parent'))) $$`,
  // As in 0012, with the function in the place of its words.
  `create or replace view relationship_rights as
   select r.id as relationship_id, r.contact_id, r.student_id, f.name as feed, f.sis, r.relation,
     r.ended_at is null as active,
     r.start_date, r.end_date,
     holds_right(r.ed_rights, r.portal_access, r.is_legal_guardian, r.relation, f.unknown_rights) as has_right,
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
];

/** What a right is stands once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
