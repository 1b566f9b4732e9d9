import { day, flag, longest, moment } from './cells.js';

// A list of agents or ids may be longer than any name.
const longestList = 20_000;
const lists = new Set(['agentSourcedIds', 'orgSourcedIds', 'userIds', 'grades']);

/** The cells of one record under the names of their columns; the first thing that is wrong with them is its `problem`. */
export class Cells {
  problem: string | null = null;
  private readonly left = new Set<string>();

  constructor(
    private readonly cells: readonly string[],
    private readonly at: ReadonlyMap<string, number>,
  ) {}

  /** A cell with its spaces collapsed; empty where the file has no such column. */
  text(column: string): string {
    const at = this.at.get(column);
    return at === undefined || this.left.has(column) ? '' : (this.cells[at] ?? '').replace(/\s+/g, ' ').trim();
  }

  optional(column: string): string | null {
    return this.text(column) || null;
  }

  /** A list joined by commas, without spaces, gaps and repetitions. */
  list(column: string): string[] {
    return [
      ...new Set(
        this.text(column)
          .split(',')
          .map((item) => item.trim()),
      ),
    ].filter((item) => item !== '');
  }

  fail(reason: string, column: string): null {
    this.problem ??= `${reason}:${column}`;
    return null;
  }

  /** A parsed cell; null where it is empty or, with a problem, where it says something else. */
  read<T>(column: string, reason: string, parse: (text: string) => T | undefined): T | null {
    const value = this.text(column);
    if (value === '') return null;
    const parsed = parse(value);
    return parsed === undefined ? this.fail(reason, column) : parsed;
  }

  day(column: string): string | null {
    return this.read(column, 'bad_date', day);
  }

  /** `yes`, `no`, `true` or `false`; empty is unknown. */
  flag(column: string): boolean | null {
    return this.read(column, 'bad_flag', (text) => {
      const word = text.toLowerCase();
      return word === 'true' ? true : word === 'false' ? false : flag(word);
    });
  }

  /**
   * The columns status and dateLastModified (OneRoster CSV Binding 1.2, section 3.2): blank in a bulk, which some exporters fill all the
   * same, and required in a delta.
   */
  state(kind: 'bulk' | 'delta'): { gone: boolean; modified: string | null } {
    const status = this.text('status').toLowerCase();
    const modified = this.read('dateLastModified', 'bad_date', moment);
    if (status === '' && kind === 'delta') this.fail('missing', 'status');
    if (!['', 'active', 'tobedeleted'].includes(status)) this.fail('bad_status', 'status');
    return { gone: status === 'tobedeleted', modified };
  }

  /** Those of these columns whose cell can be nobody's words. */
  spoilt(columns: readonly string[]): string[] {
    return columns.filter((column) => {
      const cell = this.cells[this.at.get(column) ?? -1] ?? '';
      return cell.length > (lists.has(column) ? longestList : longest) || cell.includes('\0');
    });
  }

  /** From now on these columns say something that cannot be read; the first one is the record's problem. */
  leaveOut(columns: readonly string[]): void {
    for (const column of columns) {
      this.left.add(column);
      this.fail('bad_text', column);
    }
  }

  /** Whether anything stands in a cell, be it of use or not. */
  says(column: string): boolean {
    return this.left.has(column) || this.text(column) !== '';
  }
}
