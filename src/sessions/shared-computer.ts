import type { Database } from '../database/database.js';

/** Whether a session was begun on a shared computer; a session that is unknown was not. */
export async function isOnSharedComputer(db: Database, uid: string): Promise<boolean> {
  const row = await db.selectFrom('sessions').select('device').where('uid', '=', uid).executeTakeFirst();
  return row?.device === 'shared';
}
