import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';
import { inShares } from './oneroster-shares.js';
import type { Share } from './oneroster-shares.js';

/** The sidecar's records `w` of a share, with the keys of the two people and the pair that the lists make of them, if they do. */
function sidecar({ runId }: StagedRun, share: Share): RawBuilder<unknown> {
  return sql`
    w as (
      select w.*, p.named_by, p.relationship_id, t.student_key, t.contact_key
      from oneroster_rights w join oneroster_told t on t.run_id = ${runId} and t.row = w.row
        left join oneroster_pairs p on p.run_id = ${runId} and p.student_key = t.student_key and p.contact_key = t.contact_key
          and p.named_by > 0
      where w.run_id = ${runId} and ${share('w')}
    )`;
}

/**
 * A row for every record of the sidecar: it states its pair. Where nobody names the other it only restricts what stands, and a pair
 * that it does not restrict is not kept alive by it.
 */
export function stageRights(db: Database, run: StagedRun): Promise<void> {
  return inShares(db, run.runId, (share) => stageShare(db, run, share));
}

async function stageShare(db: Database, run: StagedRun, share: Share): Promise<void> {
  await sql`
    insert into staged_rows (${columns}, is_legal_guardian, ed_rights, portal_access, restricted, restriction_type,
      restriction_type_raw, restriction_start, restriction_end)
    with ${sidecar(run, share)}
    select ${facts(run, sql`coalesce(w.problem, ${unplaced})`, sql`null::int`)},
      w.is_legal_guardian, w.ed_rights, w.portal_access, w.restricted, w.restriction_type, w.restriction_type_raw, w.restriction_start,
      w.restriction_end
    from w ${sides(run)} where w.named_by is not null`.execute(db);
  await sql`
    insert into staged_rows (run_id, row, line, problem, student_id, contact_id, restricted, restriction_type, restriction_type_raw,
      restriction_start, restriction_end)
    with ${sidecar(run, share)}
    select run_id, row, line, coalesce(problem, 'no_relationship:guardian_sourced_id'),
      case when restricted then student_key end, case when restricted then contact_key end,
      restricted, restriction_type, restriction_type_raw, restriction_start, restriction_end
    from w where named_by is null`.execute(db);
}

/**
 * A derived row, numbered after the records, for every pair of which the sidecar does not speak, for one that nobody names any more, and
 * for every entry of a list that makes no pair.
 *
 * @param after the highest number given so far
 */
export async function stagePairs(db: Database, run: StagedRun, after: number): Promise<void> {
  const { runId } = run;
  let last = after;
  await inShares(db, runId, async (share) => {
    const made = await sql`
      insert into staged_rows (${columns})
      with w as (
        select p.run_id, ${last}::int + (row_number() over (order by p.row, p.student_key, p.contact_key))::int as row, p.line,
          p.row as record, p.student_key, p.contact_key, p.named_by, p.relationship_id
        from oneroster_pairs p left join oneroster_told t on t.run_id = ${runId}
          and t.student_key = p.student_key and t.contact_key = p.contact_key and p.named_by > 0
        where p.run_id = ${runId} and ${share('p')} and t.row is null
      )
      select ${facts(run, unplaced, sql`w.record`)} from w ${sides(run)}`.execute(db);
    last += Number(made.numAffectedRows ?? 0);
  });
  await sql`
    insert into staged_rows (run_id, row, line, problem, states_pair, part_of)
    select run_id, ${last}::int + (row_number() over (order by row))::int, line, problem, true, row
    from oneroster_links where run_id = ${runId} and problem is not null`.execute(db);
}

const columns = sql.raw(
  `run_id, row, line, part_of, problem, states_pair, gone, states_rights, named_by, student_id, contact_id, school_code, school_name,
   relation, relation_raw, priority, is_emergency, lives_with, pickup_ok, start_date, end_date`,
);

const unplaced = sql`case
  when w.named_by = 0 then null
  when not coalesce(c.contact_placed, true) then coalesce(c.problem, 'unknown_person:agentSourcedIds')
  when not coalesce(s.student_placed, true) then coalesce(s.problem, 'unknown_person:agentSourcedIds')
end`;

/** The columns of a pair `w`: `c` and `s` are its subjects, `r` the relationship that stands, `o` another one of the contact. */
function facts({ kind }: StagedRun, problem: RawBuilder<unknown>, partOf: RawBuilder<unknown>): RawBuilder<unknown> {
  // What a bulk's sidecar does not say is unknown; in a delta, or without a sidecar, what stands, stands.
  const rightsTold = kind === 'bulk' ? sql`coalesce(c.rights_told, false)` : sql`false`;
  return sql`w.run_id, w.row, w.line, ${partOf}, ${problem}, true, w.named_by = 0,
    ${partOf} is null or ${rightsTold}, nullif(w.named_by, 0), w.student_key, w.contact_key,
    coalesce(s.school_code, h.code), coalesce(s.school_name, h.name),
    coalesce(c.relation, r.relation, o.relation, 'other'), coalesce(c.role, r.relation_raw, o.relation_raw, ''),
    r.priority, r.is_emergency, r.lives_with, r.pickup_ok,
    case when c.relation is null then coalesce(r.start_date, o.start_date) else c.starts_on end,
    case when c.relation is null then coalesce(r.end_date, o.end_date) else c.ends_on end`;
}

/** In a bulk only the set speaks; in a delta what it leaves out is as it stands. */
function sides({ runId, sis, kind }: StagedRun): RawBuilder<unknown> {
  const subjects = sql`
    left join oneroster_subjects c on c.run_id = ${runId} and c.key = w.contact_key and c.leads
    left join oneroster_subjects s on s.run_id = ${runId} and s.key = w.student_key and s.leads`;
  if (kind === 'bulk') {
    return sql`${subjects} left join (select null::text as code, null::text as name) h on false ${nothing('r')} ${nothing('o')}`;
  }
  return sql`${subjects}
    left join relationships r on r.id = w.relationship_id
    left join students d on d.sis = ${sis} and d.sis_id = w.student_key
    left join schools h on h.id = d.school_id
    left join lateral (
      select x.* from contacts k join relationships x on x.contact_id = k.id
      where k.sis = ${sis} and k.sis_id = w.contact_key and r.id is null and c.relation is null
      order by x.ended_at desc nulls first, x.last_modified desc nulls last limit 1
    ) o on true`;
}

function nothing(alias: string): RawBuilder<unknown> {
  return sql`left join (select x.* from relationships x where false) ${sql.raw(alias)} on false`;
}
