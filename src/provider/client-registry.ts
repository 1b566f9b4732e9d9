import { createHash } from 'node:crypto';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { revoke } from '../sessions/revoke.js';
import type { AppRegistration } from './app-registration.js';
import { sectorOf } from './metadata.js';

/** What the start changed, by client id. */
export interface RegistryChange {
  added: string[];
  changed: string[];
  returned: string[];
  disabled: string[];
}

/** What a delivery needs to know of an app, also when it has left the file. */
function howToTell(app: AppRegistration) {
  return {
    backchannel_logout_uri: app.backchannel_logout_uri ?? null,
    logout_alg: app.id_token_signed_response_alg,
    sector: app.subject_type === 'pairwise' ? sectorOf(app) : null,
    reads_students: app.scope.split(' ').includes('students'),
  };
}

/**
 * Tells the database which apps the file holds. The file is the truth; what it no longer holds is disabled: its grants and
 * tokens end, it is told so at the address it had, and its row is kept.
 */
export async function syncClients(
  db: Database,
  apps: AppRegistration[],
  clock: Clock,
  audit: RecordEvent,
): Promise<RegistryChange> {
  return db.transaction().execute(async (trx) => {
    // No stronger: what refers to an app, as deliveries do, is written meanwhile.
    const rows = await trx.selectFrom('clients').selectAll().orderBy('client_id').forNoKeyUpdate().execute();
    const known = new Map(rows.map((row) => [row.client_id, row]));
    const change: RegistryChange = { added: [], changed: [], returned: [], disabled: [] };
    const now = clock();
    for (const app of apps) {
      const digest = createHash('sha256').update(JSON.stringify(app)).digest('hex');
      const row = known.get(app.client_id);
      known.delete(app.client_id);
      const told = howToTell(app);
      const same = (Object.keys(told) as Array<keyof typeof told>).every((field) => row?.[field] === told[field]);
      if (row?.digest === digest && row.disabled_at === null) {
        // The file is the same; an earlier version kept less of it.
        if (!same) await trx.updateTable('clients').set(told).where('client_id', '=', app.client_id).execute();
        continue;
      }
      if (row === undefined) change.added.push(app.client_id);
      else if (row.disabled_at === null) change.changed.push(app.client_id);
      else change.returned.push(app.client_id);
      await trx
        .insertInto('clients')
        .values({
          client_id: app.client_id,
          name: app.client_name,
          digest,
          first_seen_at: now,
          changed_at: now,
          ...told,
        })
        .onConflict((conflict) =>
          conflict
            .column('client_id')
            .doUpdateSet({ name: app.client_name, digest, changed_at: now, disabled_at: null, ...told }),
        )
        .execute();
    }
    for (const row of known.values()) {
      if (row.disabled_at !== null) continue;
      change.disabled.push(row.client_id);
      await trx.updateTable('clients').set({ disabled_at: now }).where('client_id', '=', row.client_id).execute();
      await revoke(trx, audit, clock, { app: row.client_id }, 'app-removed', 'operator');
    }
    for (const [kind, ids] of Object.entries(change)) {
      for (const id of ids) await audit(trx, { kind: `client.${kind}`, actor: 'operator', subject: `client:${id}` });
    }
    return change;
  });
}
