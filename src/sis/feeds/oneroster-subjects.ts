import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';
import { inShares } from './oneroster-shares.js';
import type { Share } from './oneroster-shares.js';

/**
 * Fills `oneroster_subjects`: every person of whom the set speaks, what the roles make of them, and where a student goes to school.
 *
 * In a bulk these are the people of users.csv. In a delta they are those of any file, and whether somebody is a contact or a student is
 * also known from what stands; somebody is gone when deleted, or when their last role of that kind is.
 */
export function findSubjects(db: Database, run: StagedRun): Promise<void> {
  return inShares(db, run.runId, (share) => findShare(db, run, share));
}

async function findShare(db: Database, run: StagedRun, share: Share): Promise<void> {
  const delta = sql.lit(run.kind === 'delta');
  // In 1.1 a user has one role, so a row with another one ends the one before.
  const another = (family: string) =>
    sql`(${delta} and u.family <> ${sql.lit(family)} and u.role <> '' and u.problem is null and not u.gone)`;
  await sql`
    insert into oneroster_subjects (run_id, sourced_id, key, row, line, user_row, restated, is_contact, is_student, contact_gone,
      student_gone, relation, role, starts_on, ends_on, school_code, school_name, birth_date, rights_retained_until, rights_told,
      has_role, contact_placed, student_placed, problem)
    with ${held(run, share)}, ${schools(run, share)}, ${persons(run)}
    select ${run.runId}::uuid, sourced_id, key, row, line, user_row, restated, is_contact, is_student,
      dc is not null and (user_gone or contact_left), ds is not null and (user_gone or student_left),
      case when is_contact then relation end, case when is_contact then role end, starts_on, ends_on, school_code, school_name,
      birth_date, rights_retained_until, rights_told, has_role,
      role_problem is null and (dc is not null or (is_contact and ((user_row is not null and user_problem is null)
        or exists (select 1 from contacts c where c.sis = ${run.sis} and c.sis_id = p.key)))),
      ds is not null or (is_student and user_row is not null and user_problem is null and school_code is not null),
      coalesce(user_problem, role_problem, case when is_student and school_code is null then 'missing:school' end)
    from persons p`.execute(db);
  /** Every person with what is said and what stands; `dc` and `ds` are the contact and the student that stand under the key. */
  function persons({ runId, sis }: StagedRun): RawBuilder<unknown> {
    return sql`
      users as (
        select * from oneroster_people where run_id = ${runId} and not superseded and key is not null and ${share()}
      ), births as (
        select distinct on (sourced_id) sourced_id, row, line, birth_date, problem from oneroster_births
        where run_id = ${runId} and not gone and ${share()}
        order by sourced_id, problem is null desc, row desc
      ), ids as (
        select sourced_id from users
        union select user_id from roles where ${delta} and in_family
        union select sourced_id from births where ${delta} and problem is null
      ), joined as (
        select i.sourced_id, coalesce(u.key, i.sourced_id) as key, u.row as user_row, u.family,
          coalesce(u.row, r.row, b.row) as row, coalesce(u.line, r.line, b.line) as line,
          u.problem as user_problem, coalesce(u.gone, false) as user_gone, coalesce(u.rights_told, false) as rights_told,
          r.user_id is not null as has_role, coalesce(r.contact, false) as contact, coalesce(r.student, false) as student,
          coalesce(r.contact_ended, false) or coalesce(${another('contact')} and c.id is not null, false) as contact_ended,
          coalesce(r.student_ended and h.code = any(r.schools_left), false)
            or coalesce(${another('student')} and s.id is not null, false) as student_ended,
          r.relation, r.role, r.starts_on, r.ends_on, r.problem as role_problem,
          c.id as dc, s.id as ds, s.rights_retained_until,
          case when not ${delta} and u.births_told and (b.row is null or b.problem is null) then b.birth_date
            else coalesce(b.birth_date, s.birth_date) end as birth_date,
          -- One more school beside the one that stands is no move.
          case when ${delta} and h.code is not null and coalesce(a.rank >= 2, true) and not coalesce(h.code = any(r.schools_left), false)
            then h.code else coalesce(a.code, case when ${delta} then h.code end) end as school_code,
          a.code as attended_code, a.name as attended_name, h.code as standing_code, h.name as standing_name
        from ids i left join users u on u.sourced_id = i.sourced_id
          left join roles r on r.user_id = i.sourced_id left join births b on b.sourced_id = i.sourced_id
          left join attended a on a.user_id = i.sourced_id
          left join contacts c on ${delta} and c.sis = ${sis} and c.sis_id = coalesce(u.key, i.sourced_id)
          left join students s on s.sis = ${sis} and s.sis_id = coalesce(u.key, i.sourced_id)
          left join schools h on h.id = s.school_id
      ), judged as (
        select *,
          not user_gone and (user_row is not null or dc is not null)
            and (contact or (${delta} and dc is not null and family is null and not contact_ended)) as is_contact,
          not user_gone and (user_row is not null or ds is not null)
            and (student or (${delta} and ds is not null and family is null and not student_ended)) as is_student
        from joined
      ), persons as (
        select j.*, ${delta} and not contact and contact_ended as contact_left,
          ${delta} and not student and student_ended as student_left,
          user_row is not null and not user_gone and (user_problem is null or not ${delta}) as restated,
          coalesce(n.name, case j.school_code when attended_code then attended_name when standing_code then standing_name end) as school_name
        from judged j left join here n on n.code = j.school_code
      )`;
  }
}

/** Where several ids lead to one key, one of them speaks for it. Wants the subjects counted by the planner. */
export async function chooseLeads(db: Database, { runId }: StagedRun): Promise<void> {
  await sql`
    update oneroster_subjects s set leads = false
    from (
      select row, row_number() over (partition by key order by is_contact desc, row desc) as place
      from oneroster_subjects where run_id = ${runId} and key in (
        select key from oneroster_subjects where run_id = ${runId} group by key having count(*) > 1)
    ) d where s.run_id = ${runId} and s.row = d.row and d.place > 1`.execute(db);
}

/** `held`: each role with one school or other place it is held at, from roles.csv or, in 1.1, from users.csv; `roles`: all of a person. */
function held({ runId, kind }: StagedRun, share: Share): RawBuilder<unknown> {
  // In a bulk a spoilt role still tells whose it is, and what stands, stands; in a delta it says nothing.
  const taken = kind === 'bulk' ? sql`problem is distinct from 'superseded' and not gone` : sql`problem is null`;
  const active = sql`filter (where family = 'contact' and not gone)`;
  const latest = sql`order by is_primary desc, modified desc nulls last, row desc`;
  return sql`
    held as (
      select user_id, row, line, gone, family, relation, role, is_primary, modified, org_id, 0 as place, starts_on, ends_on,
        case when family = 'contact' then problem end as problem
      from oneroster_roles where run_id = ${runId} and ${taken} and ${share()}
      union all
      select p.sourced_id, p.row, p.line, false, p.family, p.relation, p.role, true, p.modified, o.id, o.place, null, null, null
      from oneroster_people p
        left join lateral unnest(string_to_array(nullif(p.orgs, ''), ',')) with ordinality o (id, place) on true
      where p.run_id = ${runId} and p.role <> '' and not p.superseded and not p.gone and ${share('p')}
    ), roles as (
      select user_id, bool_or(family <> 'none') as in_family,
        bool_or(family = 'contact' and not gone) as contact, bool_or(family = 'contact' and gone) as contact_ended,
        bool_or(family = 'student' and not gone) as student, bool_or(family = 'student' and gone) as student_ended,
        array_agg(org_id) filter (where family = 'student' and gone) as schools_left,
        (array_agg(relation ${latest}) ${active})[1] as relation, (array_agg(role ${latest}) ${active})[1] as role,
        case when bool_and(starts_on is not null) ${active} then min(starts_on) ${active} end as starts_on,
        case when bool_and(ends_on is not null) ${active} then max(ends_on) ${active} end as ends_on,
        max(problem) as problem,
        (array_agg(row order by gone, is_primary desc, row) filter (where family <> 'none'))[1] as row,
        (array_agg(line order by gone, is_primary desc, row) filter (where family <> 'none'))[1] as line
      from held group by user_id
    )`;
}

/** `here`: the schools of the set; `attended`: the school of each student, which may also stand already. */
function schools({ runId, sis, kind }: StagedRun, share: Share): RawBuilder<unknown> {
  const standing =
    kind === 'delta'
      ? sql`union all select code, name from schools h where sis = ${sis} and not exists (select 1 from here where here.code = h.code)`
      : sql``;
  return sql`
    here as (
      select sourced_id as code, name from oneroster_orgs
      where run_id = ${runId} and problem is null and type = 'school' and not gone
    ), known as (select code, name from here ${standing}), attended as (
      select distinct on (user_id) user_id, code, name, rank from (
        select r.user_id, k.code, k.name, r.ends_on, r.starts_on, r.place, r.row,
          case when r.is_primary then 1 else 3 end - case when p.primary_org = k.code then 0.5 else 0 end as rank
        from held r join known k on k.code = r.org_id
          left join oneroster_people p on p.run_id = ${runId} and p.sourced_id = r.user_id and not p.superseded
            and ${share('p')}
        where r.family = 'student' and not r.gone
        union all
        select p.sourced_id, k.code, k.name, null, null, 0, p.row, 2
        from oneroster_people p join known k on k.code = p.primary_org
        where p.run_id = ${runId} and not p.superseded and ${share('p')}
      ) choice
      order by user_id, rank, ends_on desc nulls first, starts_on desc nulls last, place, row
    )`;
}
