import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { givenNameKey } from '../families/given-names.js';
import { contactFacts, phonesStated } from './scope.js';
import type { ImportScope } from './scope.js';

export interface RestrictionCounts {
  restricted: number;
  lifted: number;
  /** Holds that staff had released and that wait for them again. */
  held: number;
}

/**
 * Imposes what the file calls restricted, lifts what it explicitly calls not restricted; an empty flag changes nothing.
 * Rows that are not applied for another reason still impose. A restriction in force keeps its beginning whatever the file makes of it later,
 * and its end date plays no part (DESIGN, rules of the domain).
 */
export async function applyRestrictions(trx: DatabaseTransaction, scope: ImportScope): Promise<RestrictionCounts> {
  const { runId, runNo, sis, now, today, images } = scope;
  // Where a row that could not be taken calls the same pair restricted, nobody knows which of the two is true: that one counts.
  await sql`
    create temp table plan_lifted on commit drop as
    select p.student_id, p.contact_id from plan_pairs p
    where p.restricted is false and not exists (
      select 1 from staged_rows w where w.run_id = ${sql.lit(runId)} and w.restricted and w.problem is not null
        and w.student_id = p.student_id and w.contact_id = p.contact_id)`.execute(trx);
  const lifted = await sql<{ id: string }>`
    update restrictions x set lifted_at = ${now}
    from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
      join plan_lifted p on p.contact_id = c.sis_id and p.student_id = s.sis_id
    where c.sis = ${sis} and s.sis = ${sis} and x.relationship_id = r.id and x.lifted_at is null
    returning x.id`.execute(trx);
  if (images && lifted.rows.length > 0) {
    await sql`
      insert into feed_run_images (run_no, kind, row_id, before)
      select ${runNo}, 'restriction', id, '{}' from unnest(${lifted.rows.map(({ id }) => id)}::uuid[]) id`.execute(trx);
  }
  await placeUnknown(trx, scope);
  await placeUnlinked(trx, scope);
  // A row that could not be taken, and says that it is a protection order, is not outweighed by one that says less.
  const ordered = sql`bool_or(w.problem is not null and w.restriction_type = 'protection_order' and w.restriction_type_raw <> '')`;
  const grows = sql`(x.type <> 'protection_order' and p.type = 'protection_order')`;
  await sql`
    create temp table plan_restrictions on commit drop as
    select distinct on (r.id) r.id as relationship_id, w.problem is null as readable, ${ordered} over pair as ordered,
      case when ${ordered} over pair then 'protection_order' else w.restriction_type end as type,
      w.restriction_type_raw as type_raw,
      case when w.problem is null then w.restriction_start end as starts_on,
      case when w.problem is null then w.restriction_end end as ends_on
    from staged_rows w join contacts c on c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id
      join students s on s.sis = ${sql.lit(sis)} and s.sis_id = w.student_id
      join relationships r on r.contact_id = c.id and r.student_id = s.id
    where w.run_id = ${sql.lit(runId)} and w.restricted
      -- Always by a hash: how many are restricted is guessed badly, and a loop in a loop took half a minute of a million rows.
      and (w.student_id, w.contact_id) not in (select student_id, contact_id from plan_lifted)
    window pair as (partition by r.id)
    order by r.id, w.problem is null desc, w.last_modified desc nulls last, w.row desc`.execute(trx);
  // What staff released was because of something less: about a protection order they have said nothing.
  const again = await sql`
    update relationship_holds h set decided_at = null, decision = null, told_at = null, placed_at = ${now}
    from restrictions x join plan_restrictions p on p.relationship_id = x.relationship_id
    where h.cause_restriction_id = x.id and h.decided_at is not null and x.lifted_at is null
      and (p.readable or p.ordered) and ${grows}`.execute(trx);
  await sql`
    update restrictions x set type = p.type, type_raw = p.type_raw, ends_on = p.ends_on,
      starts_on = case when coalesce(x.starts_on <= ${today}::date, true) then x.starts_on else p.starts_on end
    from plan_restrictions p
    where x.relationship_id = p.relationship_id and x.lifted_at is null and (p.readable or (p.ordered and ${grows}))
      and (x.type, x.type_raw, x.starts_on, x.ends_on) is distinct from (p.type, p.type_raw, p.starts_on, p.ends_on)`.execute(
    trx,
  );
  const imposed = await sql`
    insert into restrictions (relationship_id, type, type_raw, starts_on, ends_on, imposed_at)
    select relationship_id, type, type_raw, starts_on, ends_on, ${now} from plan_restrictions
    on conflict (relationship_id) where lifted_at is null do nothing`.execute(trx);
  return {
    restricted: Number(imposed.numAffectedRows ?? 0),
    lifted: lifted.rows.length,
    held: Number(again.numAffectedRows ?? 0),
  };
}

/**
 * A row that cannot be taken may be the first word of a person, as of a second record of somebody who is known, and a sidecar may restrict whom
 * no other file brings yet. Who it is stands in no feed, and is kept for the restriction alone, which reaches what else is theirs: by the name,
 * mailbox and phones of any row of the run that says them; without a name under the id alone, for whoever comes with it.
 */
async function placeUnknown(trx: DatabaseTransaction, { runId, runNo, sis, now, images }: ImportScope): Promise<void> {
  await sql`
    create temp table plan_unknown on commit drop as
    with unknown as materialized (
      select distinct w.contact_id
      from staged_rows w join students s on s.sis = ${sql.lit(sis)} and s.sis_id = w.student_id
      where w.run_id = ${sql.lit(runId)} and w.restricted and w.problem <> 'two_people:contact_id' and w.contact_id is not null
        and not exists (select 1 from contacts c where c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id)
    ), named as (
      select distinct on (w.contact_id) w.contact_id, w.row
      from staged_rows w
      where w.run_id = ${sql.lit(runId)} and w.name_key <> '' and w.contact_id in (select contact_id from unknown)
      order by w.contact_id, w.restricted desc nulls last, w.last_modified desc nulls last, w.row desc
    )
    select contact_id, n.row from unknown left join named n using (contact_id)`.execute(trx);
  const known = sql`plan_unknown u join staged_rows w on w.run_id = ${runId} and w.row = u.row`;
  const made = await sql<{ id: string }>`
    insert into contacts (sis, sis_id, ${sql.raw(contactFacts.map(([column]) => column).join(', '))}, phones_stated, email_loaded_at,
      current, last_modified, facts_loaded_at)
    select ${sis}, w.contact_id, ${sql.raw(contactFacts.map(([, value]) => value).join(', '))}, ${phonesStated}, ${now},
      false, w.last_modified, ${now}
    from ${known} order by w.contact_id returning id`.execute(trx);
  const nameless = await sql<{ id: string }>`
    insert into contacts (sis, sis_id, given_name, family_name, name_key, current, facts_loaded_at)
    select ${sis}, contact_id, '', '', '', false, ${now} from plan_unknown where row is null order by 2 returning id`.execute(
    trx,
  );
  made.rows.push(...nameless.rows);
  if (made.rows.length === 0) return;
  await sql`
    insert into contact_phones (contact_id, position, raw, e164, type, loaded_at)
    select c.id, n.position, n.raw, n.e164, n.type, ${now}
    from ${known} join contacts c on c.sis = ${sis} and c.sis_id = w.contact_id
      cross join lateral (values (1, w.phone1_raw, w.phone1_e164, w.phone1_type), (2, w.phone2_raw, w.phone2_e164, w.phone2_type))
        n (position, raw, e164, type)
    where n.raw is not null`.execute(trx);
  if (!images) return;
  await sql`
    insert into feed_run_images (run_no, kind, row_id)
    select ${runNo}, 'contact', id from unnest(${made.rows.map(({ id }) => id)}::uuid[]) id`.execute(trx);
}

/**
 * A restriction may be told before anybody names the two as a pair. It is kept on a relationship that stands no more, so that it is in
 * force when the link comes. Where one id is two people it is not known who of them is meant.
 */
async function placeUnlinked(trx: DatabaseTransaction, { runId, runNo, sis, now, images }: ImportScope): Promise<void> {
  const made = await sql<{ id: string }>`
    insert into relationships (contact_id, student_id, relation, relation_raw, facts_loaded_at, ended_at, end_reason)
    select distinct c.id, s.id, 'other', '', ${now}::timestamptz, ${now}::timestamptz, 'never_linked'
    from staged_rows w join contacts c on c.sis = ${sis} and c.sis_id = w.contact_id
      join students s on s.sis = ${sis} and s.sis_id = w.student_id
    where w.run_id = ${runId} and w.restricted and w.problem is distinct from 'two_people:contact_id'
      and not exists (select 1 from relationships r where r.contact_id = c.id and r.student_id = s.id)
    returning id`.execute(trx);
  if (!images || made.rows.length === 0) return;
  await sql`
    insert into feed_run_images (run_no, kind, row_id)
    select ${runNo}, 'relationship', id from unnest(${made.rows.map(({ id }) => id)}::uuid[]) id`.execute(trx);
}

/**
 * Holds, until staff decide, what a person who is restricted has beside the restricted relationship: under any restriction the relationships
 * with the same child, under another id of the child's or of the person's own; under a protection order also all that the person has in
 * the other SIS. The same person is an equal name with the mailbox or a phone in common, or who has proven both by one account, however the two
 * SISs call them; an account's own mailbox counts as one of its contacts', which a SIS may have given another one since; the same child is an equal given name, however it is spelt, and an equal birth date, or whoever has the id that the
 * restricted one had when the SIS gave it to another: that may be the same child, of whom both were corrected. A restriction counts while it is not lifted, even when its row has left the feed. Once decided, the same one does not hold again
 * unless it becomes a protection order.
 *
 * @returns how many relationships were held now
 */
export async function placeHolds(trx: DatabaseTransaction, now: Date, today: string): Promise<number> {
  const held = await sql`
    insert into relationship_holds (relationship_id, cause_restriction_id, placed_at)
    select distinct r2.id, o.id, ${now}::timestamptz
    from (
      select x.id, x.type, x.relationship_id, c.id as contact_id, c.sis, c.name_key, c.email, r.student_id, s.given_name, s.birth_date,
        s.sis as student_sis, ${firstId('s.sis_id')} as first_id
      from restrictions x join relationships r on r.id = x.relationship_id join contacts c on c.id = r.contact_id
        join students s on s.id = r.student_id
      where x.lifted_at is null and coalesce(x.starts_on <= ${today}::date, true)
    ) o
    cross join lateral (
      select o.contact_id as id, o.sis
      union
      select c.id, c.sis from contacts c where c.email = o.email and c.name_key = o.name_key
      union
      select c.id, c.sis from contact_phones mine join contact_phones theirs on theirs.e164 = mine.e164
        join contacts c on c.id = theirs.contact_id
      where mine.contact_id = o.contact_id and c.name_key = o.name_key
      union
      select c.id, c.sis from proven_contacts mine join proven_contacts theirs on theirs.account_id = mine.account_id
        join contacts c on c.id = theirs.contact_id
      where mine.contact_id = o.contact_id
      union
      select c.id, c.sis from accounts a join proven_contacts p on p.account_id = a.id join contacts c on c.id = p.contact_id
      where a.email = o.email and c.name_key = o.name_key
      union
      select c.id, c.sis from proven_contacts p join accounts a on a.id = p.account_id join contacts c on c.email = a.email
      where p.contact_id = o.contact_id and c.name_key = o.name_key
    ) same
    join relationships r2 on r2.contact_id = same.id and r2.ended_at is null join students s2 on s2.id = r2.student_id
    where r2.id <> o.relationship_id and (
      r2.student_id = o.student_id or (s2.birth_date = o.birth_date and ${givenNameKey('s2.given_name')} = ${givenNameKey('o.given_name')})
      or (s2.sis = o.student_sis and ${firstId('s2.sis_id')} = o.first_id)
      or (o.type = 'protection_order' and same.sis <> o.sis))
    -- In one order, so that two who do this at the same time do not wait for each other in a ring.
    order by 1, 2
    on conflict (relationship_id, cause_restriction_id) do nothing`.execute(trx);
  const after = await sql`
    insert into relationship_holds (relationship_id, cause_restriction_id, placed_at)
    select distinct r2.id, h.cause_restriction_id, ${now}::timestamptz
    from relationship_holds h join relationships r on r.id = h.relationship_id join students s on s.id = r.student_id
      join students s2 on s2.sis = s.sis and s2.sis_id = ${firstId('s.sis_id')}
      join relationships r2 on r2.student_id = s2.id and r2.contact_id = r.contact_id and r2.ended_at is null
    where h.decided_at is null and s.sis_id like '% until run %'
    order by 1, 2
    on conflict (relationship_id, cause_restriction_id) do nothing`.execute(trx);
  return Number(held.numAffectedRows ?? 0) + Number(after.numAffectedRows ?? 0);
}

/** The id that the SIS gave a student, also of one who left it to another child or was taken back with a run. */
function firstId(column: string): RawBuilder<string> {
  return sql.raw<string>(`regexp_replace(${column}, '( (until|of) run [0-9]+)+$', '')`);
}
