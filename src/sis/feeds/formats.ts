import type { Feed } from '../feeds-file.js';
import { districtExtract } from './district-extract.js';
import type { FeedFormat } from './format.js';
import { onerosterKeyedBy } from './oneroster.js';

/** The reader of a feed's format. */
export function formatOf({ format, key }: Feed): FeedFormat {
  return format === 'oneroster' ? onerosterKeyedBy(key) : districtExtract;
}
