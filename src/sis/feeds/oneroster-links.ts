import { sql } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';
import { inShares } from './oneroster-shares.js';
import type { Share } from './oneroster-shares.js';

/**
 * Fills `oneroster_links`: one row for every entry of every list of agents. An entry links when the one person is a contact and the other
 * a student (side 1 where the student names, 2 where the contact does); else it has a problem: nobody knows who is meant, or it is no tie
 * of a family, such as a sibling or the person themselves.
 */
export function findLinks(db: Database, run: StagedRun): Promise<void> {
  return inShares(db, run.runId, (share) => findShare(db, run, share));
}

async function findShare(db: Database, { runId, sis, kind }: StagedRun, share: Share): Promise<void> {
  const delta = sql.lit(kind === 'delta');
  await sql`
    insert into oneroster_links (run_id, row, line, student_key, contact_key, side, problem)
    with named as (
      select s.key, s.is_contact, s.is_student, u.row, u.line, a.agent, a.agent = s.sourced_id as own
      from oneroster_subjects s join oneroster_people u on u.run_id = ${runId} and u.row = s.user_row
        cross join lateral unnest(string_to_array(u.agents, ',')) a (agent)
      where s.run_id = ${runId} and s.restated and (s.is_contact or s.is_student) and u.agents is not null
        and ${share('s')}
    ), met as (
      select n.*, coalesce(t.key, n.agent) as other,
        case when t.key is null then c.id is not null else t.is_contact end and not n.own
          and coalesce(t.key, n.agent) <> n.key as to_contact,
        case when t.key is null then s.id is not null else t.is_student end and not n.own
          and coalesce(t.key, n.agent) <> n.key as to_student,
        n.own or (t.key is not null and not t.contact_gone and not t.student_gone and (t.user_row is null or t.restated or t.problem is not null))
          or c.id is not null or s.id is not null as is_met
      from named n left join oneroster_subjects t on t.run_id = ${runId} and t.sourced_id = n.agent
        left join contacts c on ${delta} and t.key is null and c.sis = ${sis} and c.sis_id = n.agent
        left join students s on ${delta} and t.key is null and s.sis = ${sis} and s.sis_id = n.agent
    )
    select ${runId}::uuid, row, line, l.student_key, l.contact_key, l.side, l.problem
    from met cross join lateral (
      select other, key, 2, null where is_contact and to_student
      union all select key, other, 1, null where is_student and to_contact
      union all select null, null, null, case when is_met then 'not_family:agentSourcedIds' else 'unknown_person:agentSourcedIds' end
        where not (is_contact and to_student) and not (is_student and to_contact)
    ) l (student_key, contact_key, side, problem)`.execute(db);
}

/**
 * Fills `oneroster_pairs`: the union of both sides' lists. In a delta a person who is restated restates the own list and no more, so of a
 * relationship that stands the other side's word is kept; one that no side names any more has `named_by` 0. A pair of which only the
 * sidecar speaks is as it stands.
 */
export async function findPairs(db: Database, { runId, sis, kind }: StagedRun): Promise<void> {
  const said = sql`
    select student_key, contact_key, bit_or(side)::smallint as bits,
      (array_agg(row order by side desc, row))[1] as row, (array_agg(line order by side desc, row))[1] as line
    from oneroster_links where run_id = ${runId} and problem is null group by student_key, contact_key`;
  if (kind === 'bulk') {
    await sql`
      insert into oneroster_pairs (run_id, student_key, contact_key, named_by, row, line)
      select ${runId}::uuid, student_key, contact_key, bits, row, line from (${said}) said`.execute(db);
    return;
  }
  const subjects = sql`oneroster_subjects x where x.run_id = ${runId}`;
  await sql`
    insert into oneroster_pairs (run_id, student_key, contact_key, named_by, relationship_id, row, line)
    with said as (${said}), touched as (
      select r.id from (select x.key from ${subjects} and x.is_contact and (x.restated or x.relation is not null)) x
        join contacts c on c.sis = ${sis} and c.sis_id = x.key join relationships r on r.contact_id = c.id
      union
      select r.id from (select x.key from ${subjects} and x.is_student and x.restated) x
        join students s on s.sis = ${sis} and s.sis_id = x.key join relationships r on r.student_id = s.id
      union
      select r.id from oneroster_rights w join students s on s.sis = ${sis} and s.sis_id = w.student_id
        join contacts c on c.sis = ${sis} and c.sis_id = w.guardian_id
        join relationships r on r.student_id = s.id and r.contact_id = c.id
      where w.run_id = ${runId}
    ), standing as (
      -- Where it is not known which side named it, either may have.
      select r.id, s.sis_id as student_key, c.sis_id as contact_key, coalesce(r.named_by, 3) as bits
      from touched join relationships r on r.id = touched.id and r.ended_at is null
        join contacts c on c.id = r.contact_id join students s on s.id = r.student_id and s.sis = ${sis}
    ), pairs as (
      select student_key, contact_key, t.id, n.row, n.line, coalesce(n.bits, 0) as now_named, coalesce(t.bits, 0) as named_before
      from said n full join standing t using (student_key, contact_key)
    )
    select ${runId}::uuid, student_key, contact_key,
      (case when a.restated and a.is_contact then now_named else named_before end & 2)
        | (case when b.restated and b.is_student then now_named else named_before end & 1),
      p.id, coalesce(p.row, case when a.restated then a.row end, case when b.restated then b.row end, a.row, b.row),
      coalesce(p.line, case when a.restated then a.line end, case when b.restated then b.line end, a.line, b.line)
    from pairs p
      left join oneroster_subjects a on a.run_id = ${runId} and a.key = p.contact_key and a.leads
      left join oneroster_subjects b on b.run_id = ${runId} and b.key = p.student_key and b.leads
    where not coalesce(a.contact_gone, false) and not coalesce(b.student_gone, false)`.execute(db);
}

/** Fills `oneroster_told`: of every record of the sidecar the keys of its two people, as far as they can be known. */
export async function findTold(db: Database, { runId }: StagedRun): Promise<void> {
  await sql`
    insert into oneroster_told (run_id, row, student_key, contact_key)
    select w.run_id, w.row, coalesce(s.key, case when w.ids_are_keys then w.student_id end),
      coalesce(c.key, case when w.ids_are_keys then w.guardian_id end)
    from oneroster_rights w
      left join oneroster_subjects s on s.run_id = ${runId} and s.sourced_id = w.student_id
      left join oneroster_subjects c on c.run_id = ${runId} and c.sourced_id = w.guardian_id
    where w.run_id = ${runId}`.execute(db);
}
