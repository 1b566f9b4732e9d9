import { sql } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';
import { inShares } from './oneroster-shares.js';
import type { Share } from './oneroster-shares.js';

/** An org states a school, if it is one; nothing else of it is of use here. */
export async function stageOrgs(db: Database, { runId }: StagedRun): Promise<void> {
  await sql`
    insert into staged_rows (run_id, row, line, problem, school_code, school_name, last_modified)
    select run_id, row, line, problem, case when problem is null then sourced_id end, name, modified
    from (
      select run_id, row, line, sourced_id, name, modified,
        coalesce(problem, case when gone then 'not_used:status' when type <> 'school' then 'not_used:type' end) as problem
      from oneroster_orgs where run_id = ${runId}
    ) o`.execute(db);
}

/**
 * A row for every record of users.csv, and for every person of whom only a role or a birth date came: what they state as a contact, as a
 * student or as both, or that they are gone.
 *
 * @param after the highest number given to a record
 */
export async function stagePeople(db: Database, run: StagedRun, after: number): Promise<void> {
  await inShares(db, run.runId, (share) => stageUsers(db, run, share));
  if (run.kind === 'delta') await stageKnown(db, run);
  await stageOtherHalf(db, run.runId, after);
}

async function stageUsers(db: Database, run: StagedRun, share: Share): Promise<void> {
  const { runId, kind } = run;
  const delta = sql.lit(kind === 'delta');
  await sql`
    insert into staged_rows (run_id, row, line, problem, states_student, states_contact, gone, school_code, school_name,
      student_id, student_given_name, student_family_name, student_email, grade, birth_date, rights_retained_until,
      contact_id, given_name, family_name, name_key, relation, relation_raw, email_raw, email, email_problem,
      phone1_raw, phone1_e164, phone1_type, phone2_raw, phone2_e164, last_modified)
    with judged as (
      select u.*, s.key as known_as, s.is_contact, s.is_student, s.school_code, s.school_name, s.birth_date, s.rights_retained_until,
        coalesce(s.contact_gone or s.student_gone, false) as leaves, s.contact_gone, s.student_gone, s.relation as own_relation,
        s.role as own_role,
        case
          when u.problem is not null then u.problem
          when u.gone and not ${delta} then 'not_used:status'
          when u.superseded and (u.gone or not s.restated) then 'superseded'
          when u.gone and (s.contact_gone or s.student_gone) then null
          when u.gone then case when u.family = 'none' and u.role <> '' then 'not_family:role' else 'unknown_person:sourcedId' end
          when s.is_contact or (s.is_student and s.school_code is not null) then null
          when s.is_student then 'missing:school'
          when s.contact_gone or s.student_gone then null
          when s.has_role then 'not_family:role'
          else 'missing:role'
        end as reason
      from oneroster_people u left join oneroster_subjects s on s.run_id = ${runId} and s.sourced_id = u.sourced_id
      where u.run_id = ${runId} and ${share('u')}
    ), told as (
      select *, reason is null and is_contact as tells_contact, reason is null and is_student and school_code is not null as tells_student,
        reason is null and leaves and not is_contact and not is_student as goes
      from judged
    )
    select run_id, row, line, reason, coalesce(tells_student, false), coalesce(tells_contact, false), coalesce(goes, false),
      case when tells_student then school_code end, case when tells_student then school_name end,
      case when tells_student or (goes and student_gone) or (reason is not null and is_student) then known_as end,
      case when tells_student then given_name end, case when tells_student then family_name end,
      case when tells_student then email end, case when tells_student then grade end,
      case when tells_student then birth_date end, case when tells_student then rights_retained_until end,
      case when tells_contact or (goes and contact_gone) or (reason is not null and is_contact) then known_as end,
      given_name, family_name, name_key, own_relation, own_role, email_raw, email, email_problem,
      phone1_raw, phone1_e164, case when phone1_raw is not null then 'mobile' end, phone2_raw, phone2_e164, modified
    from told`.execute(db);
}

/** In a delta, people without a row in users.csv: a student with what stands and what is new, or somebody whose last role ended. */
async function stageKnown(db: Database, { runId, sis }: StagedRun): Promise<void> {
  await sql`
    insert into staged_rows (run_id, row, line, problem, states_student, gone, school_code, school_name, student_id,
      student_given_name, student_family_name, student_email, grade, birth_date, rights_retained_until, contact_id)
    select p.run_id, p.row, p.line,
      case
        when is_student or student_gone then null
        when b.row is null then case when not is_contact and not contact_gone then 'unknown_person:userSourcedId' end
        when is_contact or contact_gone then 'not_family:sourcedId'
        else 'unknown_person:sourcedId'
      end,
      is_student, not is_contact and not is_student and (contact_gone or student_gone),
      case when is_student then p.school_code end, case when is_student then p.school_name end,
      case when is_student or (student_gone and not is_contact) then p.key end,
      d.given_name, d.family_name, d.email_normal, d.grade, p.birth_date, d.rights_retained_until,
      case when is_contact or (contact_gone and not is_student) then p.key end
    from oneroster_subjects p left join oneroster_births b on b.run_id = ${runId} and b.row = p.row
      left join students d on p.is_student and d.sis = ${sis} and d.sis_id = p.key
    where p.run_id = ${runId} and p.user_row is null`.execute(db);
}

/** Who is both contact and student, and is gone or not to be placed as one of them only. */
async function stageOtherHalf(db: Database, runId: string, after: number): Promise<void> {
  await sql`
    insert into staged_rows (run_id, row, line, problem, gone, student_id, contact_id, part_of)
    select run_id, ${after}::int + (row_number() over (order by row, half))::int, line, problem,
      problem is null, case when half = 'student' then key end, case when half = 'contact' then key end, row
    from (
      select s.run_id, s.row, s.line, s.key, 'contact' as half, null as problem
      from oneroster_subjects s where s.run_id = ${runId} and s.contact_gone and s.is_student
      union all
      select s.run_id, s.row, s.line, s.key, 'student', null
      from oneroster_subjects s where s.run_id = ${runId} and s.student_gone and s.is_contact
      union all
      select s.run_id, s.row, s.line, s.key, 'student', 'missing:school'
      from oneroster_subjects s where s.run_id = ${runId} and s.is_contact and s.is_student and s.school_code is null
    ) half`.execute(db);
}

/** Roles and birth dates are part of the person's row; what leads to nobody, or to nobody of a family, is skipped. */
export async function stageParts(db: Database, { runId, kind }: StagedRun): Promise<void> {
  const bulk = sql.lit(kind === 'bulk');
  await sql`
    insert into staged_rows (run_id, row, line, problem, part_of)
    select run_id, row, line, reason, case when reason is null then subject end
    from (
      select r.run_id, r.row, r.line, s.row as subject, coalesce(r.problem, case
        when r.gone and ${bulk} then 'not_used:status'
        when r.family = 'none' then 'not_family:role'
        when s.row is null then 'unknown_person:userSourcedId' end) as reason
      from oneroster_roles r left join oneroster_subjects s on s.run_id = ${runId} and s.sourced_id = r.user_id
      where r.run_id = ${runId}
      union all
      select b.run_id, b.row, b.line, s.row, coalesce(b.problem, case
        when b.gone then 'not_used:status'
        when s.row is null then 'unknown_person:sourcedId'
        when not s.is_student and not s.student_gone then 'not_family:sourcedId' end)
      from oneroster_births b left join oneroster_subjects s on s.run_id = ${runId} and s.sourced_id = b.sourced_id
      where b.run_id = ${runId}
    ) part where row is distinct from subject`.execute(db);
  // What was joined into a row that is not taken is not taken either.
  await sql`
    update staged_rows w set problem = whole.problem
    from staged_rows whole
    where w.run_id = ${runId} and w.part_of is not null and w.problem is null
      and not w.states_student and not w.states_contact and not w.states_pair and not w.gone
      and whole.run_id = ${runId} and whole.row = w.part_of and whole.problem is not null`.execute(db);
}
