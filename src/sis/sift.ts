import { noKey } from './sketches.js';
import type { Sketches } from './sketches.js';

/** What of a file has to be looked at. */
export interface Sifted {
  /** By row, 1: to be read. */
  wanted: Uint8Array;
  /** The keys of the students all of whose rows, here and in the file before, are among those: of nobody else anything can have changed. */
  students: ReadonlySet<number>;
}

/**
 * Finds the rows that a file does not have in common with the one before, and with each of them all that is said of the same people, of
 * their people, and so on: a family is looked at whole or not at all, so that what comes of its rows is what would come of reading them all.
 * Also read are rows that were marked, that stand in another order, or twice.
 */
export function sift(before: Sketches, now: Sketches): Sifted {
  const wanted = new Uint8Array(now.length);
  const students = new Set<number>();
  const contacts = new Set<number>();
  const touch = (rows: Sketches, row: number): void => {
    if (rows.student(row) !== noKey) students.add(rows.student(row));
    if (rows.contact(row) !== noKey) contacts.add(rows.contact(row));
  };
  const find = finder(before);
  const found = new Uint8Array(before.length);
  let last = -1;
  for (let row = 0; row < now.length; row += 1) {
    const at = find(now, row);
    if (at === -1 || found[at] === 1 || at < last || before.isMarked(at)) {
      wanted[row] = 1;
      touch(now, row);
    }
    if (at === -1) continue;
    found[at] = 1;
    last = Math.max(last, at);
  }
  for (let row = 0; row < before.length; row += 1) if (found[row] === 0) touch(before, row);
  for (let more = true; more;) {
    more = false;
    for (let row = 0; row < now.length; row += 1) {
      if (wanted[row] === 1 || !(students.has(now.student(row)) || contacts.has(now.contact(row)))) continue;
      wanted[row] = 1;
      touch(now, row);
      more = true;
    }
  }
  return { wanted, students };
}

/** Finds a row of another file among these; of equal ones the first. */
function finder(rows: Sketches): (others: Sketches, other: number) => number {
  // Open addressing, at most half full.
  const size = 2 ** Math.ceil(Math.log2(2 * rows.length + 2));
  const table = new Int32Array(size).fill(-1);
  const find = (others: Sketches, other: number): { at: number; slot: number } => {
    let slot = others.short(other) & (size - 1);
    for (;;) {
      const at = table[slot] ?? -1;
      if (at === -1 || rows.isEqual(at, others, other)) return { at, slot };
      slot = (slot + 1) & (size - 1);
    }
  };
  for (let row = 0; row < rows.length; row += 1) {
    const { at, slot } = find(rows, row);
    if (at === -1) table[slot] = row;
  }
  return (others, other) => find(others, other).at;
}
