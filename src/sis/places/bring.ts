import { sql } from 'kysely';
import type { Database } from '../../database/database.js';
import type { Brought, FeedFormat, Validators } from '../feeds/format.js';
import { fetchFeed } from './https.js';

/** A place from which a run's file must be brought first. */
export interface HttpsSource {
  url: string;
  authorization: string | null;
}

/**
 * Brings what the feed's server holds, one file or what its format takes from it, unless the server says that it is what stands.
 *
 * @param standing digest of the file that was applied last; null asks for the file in any case
 * @returns null when it is
 */
export async function bringFeed(
  db: Database,
  feed: string,
  { url, authorization }: HttpsSource,
  { bring = fetchFeed }: FeedFormat,
  standing: string | null,
  onBytes?: (received: number) => void,
): Promise<Brought | null> {
  const { rows } = await sql<Validators>`
    select fetched_etag as etag, fetched_modified as "lastModified" from feeds
    where name = ${feed} and fetched_from = ${url} and fetched_digest = ${standing}`.execute(db);
  return bring({ url, authorization, known: rows[0] ?? null, ...(onBytes === undefined ? {} : { onBytes }) });
}

/** Remembers what the server said of a file, under the digest by which it is known when it has been applied. */
export async function rememberFetched(
  db: Database,
  feed: string,
  url: string,
  digest: string | null,
  { etag, lastModified }: Validators,
): Promise<void> {
  await sql`
    update feeds set fetched_from = ${url}, fetched_digest = ${digest}, fetched_etag = ${etag}, fetched_modified = ${lastModified}
    where name = ${feed}`.execute(db);
}
