import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { contactStates, statesOfContacts } from '../families/contact-states.js';
import type { ContactState } from '../families/contact-states.js';

/** How many contacts are in each state; `contacts` is their sum. */
export type StateCounts = Record<ContactState, number> & { contacts: number };

/** The contacts of one school, one language, or both; what is not asked for is absent, and a school is null where there is none now. */
export interface CoverageRow {
  feed?: string;
  schoolCode?: string | null;
  school?: string | null;
  language?: string | null;
  counts: StateCounts;
}

export interface Coverage {
  /** By feed, school and language. A contact with children at two schools counts at each. */
  rows: CoverageRow[];
  /** Each contact once. */
  total: StateCounts;
}

export interface CoverageQuestion {
  /** One feed's contacts; of all when null. */
  feed: string | null;
  by: 'school' | 'language' | 'both';
  /** `YYYY-MM-DD` in the district's time zone. */
  today: string;
  studentDomains: readonly string[];
}

interface Counted {
  total: boolean;
  feed: string | null;
  code: string | null;
  school: string | null;
  language: string | null;
  state: ContactState;
  count: number;
}

/** How many contacts can register, and what stands in the way of the others. For who may see the whole district: small numbers stay. */
export async function coverage(db: Database, question: CoverageQuestion): Promise<Coverage> {
  const { feed, by, today, studentDomains } = question;
  const bySchool = by !== 'language';
  const places = bySchool
    ? sql`left join (select distinct r.contact_id, s.school_id from relationships r join students s on s.id = r.student_id
        where r.ended_at is null) place on place.contact_id = st.contact_id
      left join schools h on h.id = place.school_id`
    : sql``;
  const school = bySchool
    ? sql`st.feed, h.code, h.name as school`
    : sql`null::text as feed, null::text as code, null::text as school`;
  const language = by === 'school' ? sql`null::text as language` : sql`st.language`;
  // All contacts are judged, because those of the other SIS decide as well; the feed is chosen after.
  const { rows } = await sql<Counted>`
    with st as materialized (
      select f.name as feed, s.contact_id, s.language, s.state
      from ${statesOfContacts({ today, studentDomains, within: sql`true` })} s join feeds f on f.sis = s.sis
      where ${feed}::text is null or f.name = ${feed}
    )
    select false as total, ${school}, ${language}, state, count(*)::int as count from st ${places} group by 2, 3, 4, 5, 6
    union all
    select true, null, null, null, null, state, count(*)::int from st group by state`.execute(db);
  return { rows: gathered(rows, question), total: counts(rows.filter((row) => row.total)) };
}

function gathered(rows: readonly Counted[], { by }: CoverageQuestion): CoverageRow[] {
  const groups = Map.groupBy(
    rows.filter((row) => !row.total),
    ({ feed, code, language }) => JSON.stringify([feed, code, language]),
  );
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      return [
        {
          ...(by === 'language' ? {} : { feed: first.feed ?? '', schoolCode: first.code, school: first.school }),
          ...(by === 'school' ? {} : { language: first.language }),
          counts: counts(group),
        },
      ];
    })
    .toSorted(
      (a, b) => inOrder(a.feed, b.feed) || inOrder(a.schoolCode, b.schoolCode) || inOrder(a.language, b.language),
    );
}

/** Those without a school or a language last. */
function inOrder(a: string | null | undefined, b: string | null | undefined): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return a < b ? -1 : 1;
}

function counts(rows: readonly Counted[]): StateCounts {
  const of = (state: ContactState): number =>
    rows.filter((row) => row.state === state).reduce((sum, row) => sum + row.count, 0);
  const byState = Object.fromEntries(contactStates.map((state) => [state, of(state)])) as Record<ContactState, number>;
  return { ...byState, contacts: rows.reduce((sum, row) => sum + row.count, 0) };
}
