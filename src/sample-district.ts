import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RecordEvent } from './audit/audit.js';
import { termsVersion } from './accounts/account.js';
import type { PasswordHasher } from './accounts/password-hasher.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import { joinContacts, proveContact } from './families/joins.js';
import type { ImportParts } from './imports.js';
import { runImport } from './imports.js';
import { localPath } from './sis/feeds-file.js';
import { writeSample } from './sis/sample/sample.js';

const size = { contacts: 2_000, seed: 1 };

/** The people a newcomer may be, as the start prints them. */
export const samplePeople = {
  unregistered: { email: 'parent@example.org', phone: '(213) 555-0100' },
  registered: { email: 'registered@example.org', password: 'correct horse battery staple' },
} as const;

/** A database that holds real families gets no sample ones. */
export class SampleRefused extends Error {
  constructor(feed: string) {
    super(`The sample district goes only into a database without other feeds; this one has "${feed}".`);
    this.name = 'SampleRefused';
  }
}

/**
 * Writes the sample district's files where they are missing, imports them, and makes the one registered account.
 * Running it again changes nothing.
 *
 * @throws SampleRefused when the database has another feed
 */
export async function plantSampleDistrict(parts: ImportParts, hasher: PasswordHasher): Promise<void> {
  const samples = parts.feeds.feeds.filter((feed) => feed.sample);
  if (samples.length === 0) return;
  const other = await parts.db.selectFrom('feeds').select('name').where('sample', '=', false).executeTakeFirst();
  if (other !== undefined) throw new SampleRefused(other.name);
  const files = samples.flatMap(({ place }) => ('file' in place ? [localPath(place, parts.dataDir)] : []));
  const [first] = files;
  if (first !== undefined && !files.every((path) => existsSync(path))) {
    await writeSample({ ...size, out: dirname(first) });
  }
  for (const feed of samples) {
    const report = await runImport(parts, feed.name, 'start');
    if (report.state === 'refused')
      throw new Error(`The sample feed ${feed.name} was refused: ${report.message ?? ''}`);
  }
  await registerSampleParent(parts.db, parts.clock, hasher, parts.audit, parts.timeZone);
}

async function registerSampleParent(
  db: Database,
  clock: Clock,
  hasher: PasswordHasher,
  audit: RecordEvent,
  timeZone: string,
): Promise<void> {
  const { email, password } = samplePeople.registered;
  const known = await db.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirst();
  const contact = await db
    .selectFrom('contacts')
    .select(['id', 'given_name', 'family_name'])
    .where('email', '=', email)
    .where('current', '=', true)
    .orderBy('sis')
    .executeTakeFirst();
  if (known !== undefined || contact === undefined) return;
  const passwordHash = await hasher.hash(password);
  await db.transaction().execute(async (trx) => {
    const now = clock();
    const { id: accountId } = await trx
      .insertInto('accounts')
      .values({
        email,
        email_proven_at: now,
        sign_in_name: null,
        recovery_code_hash: null,
        password_hash: passwordHash,
        password_changed_at: now,
        given_name: contact.given_name,
        family_name: contact.family_name,
        locale: 'en',
        terms_version: termsVersion,
        terms_accepted_at: now,
        created_at: now,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await proveContact(trx, { accountId, contactId: contact.id, how: 'registration', now });
    await joinContacts(trx, { accountId, contactId: contact.id, now, timeZone });
    await audit(trx, { kind: 'account.sampled', actor: 'system', subject: `account:${accountId}` });
  });
}
