import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { databases, freshDatabase } from './database.js';
import type { FreshDatabase } from './database.js';

describe.each(databases)('a fresh database on %s', (kind) => {
  let one: FreshDatabase;
  let other: FreshDatabase;

  beforeAll(async () => {
    one = await freshDatabase(kind);
    other = await freshDatabase(kind);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
  });

  it('is migrated, and shares nothing with another', async () => {
    const event = { occurred_at: new Date(), kind: 'test', actor: 'test', subject: null, details: '{}' };
    await one.db.insertInto('audit_events').values(event).execute();
    expect(await one.db.selectFrom('audit_events').select('kind').execute()).toHaveLength(1);
    expect(await other.db.selectFrom('audit_events').select('kind').execute()).toHaveLength(0);
  });

  it('stores text as UTF-8 and knows the case of letters beyond ASCII', async () => {
    const { rows } = await sql<{ lower: string }>`SELECT lower('PEÑA Ünal') AS lower`.execute(one.db);
    expect(rows[0]?.lower).toBe('peña ünal');
  });
});
