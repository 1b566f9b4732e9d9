import type { Feed } from '../feeds-file.js';
import { districtExtract } from './district-extract.js';
import type { FeedFormat } from './format.js';
import { oneroster, onerosterKeyedBy } from './oneroster.js';

/** The reader of a feed's format. */
export function formatOf({ format, key }: Feed): FeedFormat {
  return format === 'oneroster' ? onerosterKeyedBy(key) : districtExtract;
}

/** Tables in which formats keep records until they are joined, by `run_id`. */
export const recordTables: readonly string[] = [districtExtract, oneroster].flatMap(
  (format) => format.recordTables ?? [],
);
