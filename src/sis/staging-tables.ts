import { recordTables } from './feeds/formats.js';

/** Every table that holds what a run staged, by `run_id`. */
export const stagingTables: readonly string[] = ['staged_rows', ...recordTables];
