import type { Database } from '../database/database.js';
import type { Clock } from '../database/clock.js';

/**
 * What happened, by whom, to whom. `subject` and `details` hold identifiers of ours, never an e-mail, a phone, a name,
 * a token or a code.
 */
export interface AuditEvent {
  kind: string;
  /** `account:<id>`, `staff:<id>`, `operator`, `system` or `anonymous`. */
  actor: string;
  subject?: string;
  details?: Record<string, unknown>;
}

/** Writes an event; called with the transaction of what it tells, so that neither exists without the other. */
export type RecordEvent = (trx: Database, event: AuditEvent) => Promise<void>;

/** The audit log of the database: append-only, enforced by a trigger. */
export function auditLog(clock: Clock): RecordEvent {
  return async (trx, { kind, actor, subject, details }) => {
    await trx
      .insertInto('audit_events')
      .values({ occurred_at: clock(), kind, actor, subject: subject ?? null, details: JSON.stringify(details ?? {}) })
      .execute();
  };
}
