import { decideRun } from '../../src/imports.js';
import type { DecisionVerb } from '../../src/imports.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { feedsFile, timeZone } from './extract.js';

/** Has an operator approve, discard or roll back a run of the district at the given time. */
export function decide(opened: OpenDatabase, verb: DecisionVerb, { runId }: RunReport, at: Date): Promise<RunReport> {
  const parts = { db: opened.db, clock: () => at, timeZone, dataDir: '/nowhere', feeds: feedsFile() };
  const tools = { ...parts, load: bulkLoader(opened), audit: async () => {} };
  return decideRun(tools, verb, { runId, actor: 'operator', reason: 'checked with the SIS office' });
}
