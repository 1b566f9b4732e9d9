import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { keepImages } from './images.js';
import { stagedBy } from './scope.js';
import type { ImportScope } from './scope.js';

/**
 * Settles, before anything is compared, who the ids of the file are:
 * rows that give one id to two people are not taken (`two_people:contact_id`); an id that was given to another person leaves the
 * person before with theirs; a person whose id changed, with the same students, name, e-mail and phone, is followed.
 * Leaves `plan_vacated (contact_id)` and `plan_followed (contact_id, sis_id)`.
 */
export async function settleIdentities(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const { sis } = scope;
  await markTwoPeople(trx, scope);
  await sql`
    create temp table plan_vacated on commit drop as
    select c.id as contact_id, c.sis_id, exists (
        select 1 from relationships r join restrictions x on x.relationship_id = r.id and x.lifted_at is null
        where r.contact_id = c.id)
      or exists (select 1 from relationships r join relationship_holds h on h.relationship_id = r.id and h.decided_at is null
        where r.contact_id = c.id) as restricted
    from (
      select w.contact_id, min(w.name_key) as name_key, array_agg(distinct w.email) as emails,
        array_agg(distinct w.phone1_e164) || array_agg(distinct w.phone2_e164) as phones
      from ${stagedBy(scope)} and w.problem is null and w.states_contact and not w.gone and exists (
        select 1 from contacts c where c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id and c.name_key <> w.name_key)
      group by w.contact_id
    ) w join contacts c on c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id
    where not coalesce(c.email = any(w.emails), false)
      and not exists (select 1 from contact_phones n where n.contact_id = c.id and n.e164 = any(w.phones))
      -- Of a contact that the SIS emptied before, the account's own mailbox tells who it was.
      and not exists (select 1 from proven_contacts p join accounts a on a.id = p.account_id
        where p.contact_id = c.id and a.email = any(w.emails))
      and (c.email is not null or exists (select 1 from contact_phones n where n.contact_id = c.id and n.e164 is not null)
        or exists (select 1 from proven_contacts p where p.contact_id = c.id))`.execute(trx);
  // Nobody sheds a restriction by a new name: such rows wait until the SIS is clear about them.
  await sql`
    update staged_rows w set problem = 'two_people:contact_id'
    from plan_vacated v where w.run_id = ${scope.runId} and w.contact_id = v.sis_id and w.problem is null and v.restricted`.execute(
    trx,
  );
  await sql`delete from plan_vacated where restricted`.execute(trx);
  await keepImages(trx, scope, 'contact', sql`select contact_id from plan_vacated`);
  await sql`
    update contacts c set sis_id = c.sis_id || ' until run ' || ${scope.runNo}::text from plan_vacated v where c.id = v.contact_id`.execute(
    trx,
  );
  await follow(trx, scope);
}

/** One person is said in so many ways at most: more are not held against each other, because one id may stand on all that have none. */
const mostWays = 50;

/** One id on rows whose names differ and that have neither mailbox nor phone in common. */
async function markTwoPeople(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await sql`
    with several as materialized (
      select w.contact_id from ${stagedBy(scope)} and w.states_contact and w.problem is null
      group by w.contact_id having min(w.name_key) <> max(w.name_key)
    ), said as materialized (
      select distinct w.contact_id, w.name_key, w.email, w.phone1_e164, w.phone2_e164
      from ${stagedBy(scope)} and w.states_contact and w.problem is null and w.contact_id in (select contact_id from several)
    ), ways as materialized (
      select contact_id, count(*) > ${mostWays} as many from said group by contact_id
    ), two as (
      select contact_id from ways where many
      union
      select a.contact_id from ways v join said a on a.contact_id = v.contact_id and not v.many
        join said b on b.contact_id = a.contact_id and b.name_key <> a.name_key
      where not coalesce(a.email = b.email, false)
        and not coalesce(a.phone1_e164 in (b.phone1_e164, b.phone2_e164), false)
        and not coalesce(a.phone2_e164 in (b.phone1_e164, b.phone2_e164), false)
    )
    update staged_rows w set problem = 'two_people:contact_id'
    where w.run_id = ${scope.runId} and w.problem is null and w.contact_id in (select contact_id from two)`.execute(
    trx,
  );
}

async function follow(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  // In a bulk the id before is in no row; in a delta it is said to be gone.
  const left =
    scope.kind === 'bulk'
      ? sql`not exists (select 1 from ${stagedBy(scope)} and w.contact_id = o.sis_id)`
      : sql`exists (select 1 from ${stagedBy(scope)} and w.contact_id = o.sis_id and w.gone)`;
  await sql`
    create temp table plan_followed on commit drop as
    with fresh as (
      select w.contact_id as sis_id, min(w.name_key) as name_key, min(w.email) as email,
        array_agg(w.phone1_e164) || array_agg(w.phone2_e164) as phones,
        array_agg(w.student_id) filter (where w.states_pair) as students
      from ${stagedBy(scope)} and w.problem is null and w.contact_id is not null and not w.gone
        and exists (select 1 from contacts c where c.sis = ${sis})
        and not exists (select 1 from contacts c where c.sis = ${sis} and c.sis_id = w.contact_id)
      group by w.contact_id having min(w.name_key) = max(w.name_key) and min(w.email) = max(w.email)
    ), matched as (
      select o.id as contact_id, f.sis_id, count(*) over (partition by o.id) as olds, count(*) over (partition by f.sis_id) as news
      -- By a student they have in common, not by the mailbox, which a school's own office may share with thousands.
      from fresh f join students mutual on mutual.sis = ${sis} and mutual.sis_id = f.students[1]
        join relationships first on first.student_id = mutual.id join contacts o on o.id = first.contact_id
      where o.email = f.email and o.name_key = f.name_key and o.sis = ${sis} and ${left}
        and exists (select 1 from contact_phones n where n.contact_id = o.id and n.e164 = any(f.phones))
        and not exists (select 1 from unnest(f.students) student where not exists (
          select 1 from relationships r join students s on s.id = r.student_id where r.contact_id = o.id and s.sis_id = student))
        and not exists (
          select 1 from relationships r join students s on s.id = r.student_id
          where r.contact_id = o.id and r.ended_at is null and s.sis_id <> all(f.students))
    )
    select contact_id, sis_id from matched where olds = 1 and news = 1`.execute(trx);
  await keepImages(trx, scope, 'contact', sql`select contact_id from plan_followed`);
  await sql`update contacts c set sis_id = f.sis_id from plan_followed f where c.id = f.contact_id`.execute(trx);
}
