import type { RecordEvent } from '../audit/audit.js';
import type { Config } from '../config.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { FeedsFile } from '../sis/feeds-file.js';
import type { Progress } from '../sis/import.js';
import type { OpenLoading } from '../sis/loader.js';

/** What a command stands on that works on the database: of the command line's process, or of the server that holds it. */
export interface Desk {
  config: Config;
  clock: Clock;
  db: Database;
  audit: RecordEvent;
  /** The feeds file: as the server read it at its start, or as it is now. */
  feeds(): Promise<FeedsFile>;
  /** The bulk loader of this database. */
  load: OpenLoading;
  /** Told how far a long command is, where somebody looks on. */
  onProgress?: (progress: Progress) => void;
  /** Null where none is set and the data folder keeps none. */
  secretsKey: Uint8Array | null;
  /** Resolves when every server uses the keys that there are now. */
  keysFollowed(): Promise<void>;
  /** Lets what was ended be told to the apps at once; a server elsewhere looks by itself within a second. */
  tellApps(): void;
}

/** A command on the database. @returns what to print */
export type DeskCommand = (desk: Desk, args: string[]) => Promise<string>;

/** A command was refused; the message is one sentence. */
export class DeskRefused extends Error {}

/** Lines of columns, as wide as their widest cell. */
export function columns(rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
