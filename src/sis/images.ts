import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import type { ImportScope } from './scope.js';

export type ImageKind = 'school' | 'student' | 'contact' | 'relationship';

/** Writes down what stood in the rows that a plan is about to change, for a roll back. @param changing selects their ids */
export async function keepImages(
  trx: DatabaseTransaction,
  scope: ImportScope,
  kind: ImageKind,
  changing: RawBuilder<unknown>,
): Promise<void> {
  if (!scope.images) return;
  const table = kind === 'relationship' ? 'relationships' : `${kind}s`;
  const image = kind === 'contact' ? sql`contact_image(x)` : sql`to_jsonb(x)`;
  // What an earlier step of this run changed already stands here as it was before all of them.
  await sql`
    insert into feed_run_images (run_no, kind, row_id, before)
    select ${scope.runNo}, ${kind}, x.id, ${image} from ${sql.table(table)} x where x.id in (${changing})
    on conflict do nothing`.execute(trx);
}
