import { createHash } from 'node:crypto';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { AppRegistration } from './app-registration.js';

/** What the start changed, by client id. */
export interface RegistryChange {
  added: string[];
  changed: string[];
  returned: string[];
  disabled: string[];
}

/**
 * Tells the database which apps the file holds. The file is the truth; what it no longer holds is disabled (its tokens
 * are refused because the provider does not know it any more), kept, and said.
 */
export async function syncClients(
  db: Database,
  apps: AppRegistration[],
  clock: Clock,
  audit: RecordEvent,
): Promise<RegistryChange> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx.selectFrom('clients').selectAll().forUpdate().execute();
    const known = new Map(rows.map((row) => [row.client_id, row]));
    const change: RegistryChange = { added: [], changed: [], returned: [], disabled: [] };
    const now = clock();
    for (const app of apps) {
      const digest = createHash('sha256').update(JSON.stringify(app)).digest('hex');
      const row = known.get(app.client_id);
      known.delete(app.client_id);
      if (row?.digest === digest && row.disabled_at === null) continue;
      if (row === undefined) change.added.push(app.client_id);
      else if (row.disabled_at === null) change.changed.push(app.client_id);
      else change.returned.push(app.client_id);
      await trx
        .insertInto('clients')
        .values({ client_id: app.client_id, name: app.client_name, digest, first_seen_at: now, changed_at: now })
        .onConflict((conflict) =>
          conflict
            .column('client_id')
            .doUpdateSet({ name: app.client_name, digest, changed_at: now, disabled_at: null }),
        )
        .execute();
    }
    for (const row of known.values()) {
      if (row.disabled_at !== null) continue;
      change.disabled.push(row.client_id);
      await trx.updateTable('clients').set({ disabled_at: now }).where('client_id', '=', row.client_id).execute();
    }
    for (const [kind, ids] of Object.entries(change)) {
      for (const id of ids) await audit(trx, { kind: `client.${kind}`, actor: 'operator', subject: `client:${id}` });
    }
    return change;
  });
}
