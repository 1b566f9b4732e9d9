import { setTimeout as pause } from 'node:timers/promises';
import type { KyselyPlugin, QueryId } from 'kysely';
import type { Database } from '../database/database.js';
import type { OpenLoading } from './loader.js';

/*
 * An import at rest for as long as it works: half of a core stays with whoever signs in meanwhile. The process of an import can be of low
 * priority, but the database's process, which does most of the work, cannot.
 */

/** How long one rest is at most, ms. What was waited for in between, a slow source or another run's turn, was no work. */
const longest = { rows: 100, statement: 10_000 };

/** A loader that rests after each `write`. */
export function restingLoader(open: OpenLoading): OpenLoading {
  return async (target) => {
    const loading = await open(target);
    let rested = performance.now();
    return {
      ...loading,
      async write(rows) {
        await loading.write(rows);
        await pause(Math.min(performance.now() - rested, longest.rows));
        rested = performance.now();
      },
    };
  };
}

/** A database that rests after each statement, in a transaction too: none of an import holds what a sign-in waits for. */
export function restingDatabase(db: Database): Database {
  const began = new WeakMap<QueryId, number>();
  const resting: KyselyPlugin = {
    transformQuery({ queryId, node }) {
      began.set(queryId, performance.now());
      return node;
    },
    async transformResult({ queryId, result }) {
      const now = performance.now();
      await pause(Math.min(now - (began.get(queryId) ?? now), longest.statement));
      return result;
    },
  };
  return db.withPlugin(resting);
}
