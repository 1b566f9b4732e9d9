import { describe, expect, it } from '@jest/globals';
import { sift } from '../../src/sis/sift.js';
import { keyOf, noKey, Sketches } from '../../src/sis/sketches.js';

/** A file of rows such as `S1<C1 grade 3`; a row without ids is one that nobody can read. */
function file(...rows: string[]): Sketches {
  const sketches = new Sketches();
  for (const row of rows) {
    const [, student, contact] = /^(\w+)<(\w+)/.exec(row) ?? [];
    sketches.add(row, student === undefined ? noKey : keyOf(student), contact === undefined ? noKey : keyOf(contact));
  }
  return sketches;
}

function wanted(before: Sketches, now: Sketches): number[] {
  return [...sift(before, now).wanted.entries()].flatMap(([row, is]) => (is === 1 ? [row] : []));
}

const families = ['S1<C1', 'S1<C2', 'S2<C2', 'S3<C3', 'S4<C4'];

describe('what of a file is to be read', () => {
  it('is nothing where the file before has all of it', () => {
    expect(wanted(file(...families), file(...families))).toEqual([]);
  });

  it('is of a row that changed the whole family, by students and contacts in common, and nobody else', () => {
    const now = file('S1<C1 new', ...families.slice(1));
    expect(wanted(file(...families), now)).toEqual([0, 1, 2]);
    expect(sift(file(...families), now).students).toEqual(new Set([keyOf('S1'), keyOf('S2')]));
  });

  it('is of a row that is gone the whole family, also where nothing of it is left', () => {
    expect(wanted(file(...families), file('S1<C2', ...families.slice(2)))).toEqual([0, 1]);
    const left = sift(file(...families), file(...families.slice(0, 4)));
    expect([...left.wanted]).toEqual([0, 0, 0, 0]);
    expect(left.students).toEqual(new Set([keyOf('S4')]));
  });

  it('is what stands in another order, twice, or was marked', () => {
    expect(wanted(file('S1<C1', 'S1<C2', 'S3<C3'), file('S1<C2', 'S1<C1', 'S3<C3'))).toEqual([0, 1]);
    expect(wanted(file('S1<C1', 'S3<C3'), file('S1<C1', 'S3<C3', 'S1<C1'))).toEqual([0, 2]);
    const before = file(...families);
    before.mark(3);
    expect(wanted(before, file(...families))).toEqual([3]);
  });

  it('is every row without ids that is new, and no family by it', () => {
    expect(wanted(file('rubbish', 'S1<C1'), file('rubbish', 'other rubbish', 'S1<C1'))).toEqual([1]);
  });

  it('is right for files of several parts, as they are kept', () => {
    const many = Array.from({ length: 40_000 }, (_, index) => `S${index}<C${index}`);
    const kept = file(...many);
    const before = new Sketches(
      [...kept.contents()].map((part) => Buffer.from(part)),
      kept.length,
    );
    expect(wanted(before, file(...many.with(39_999, 'S39999<C39999 new')))).toEqual([39_999]);
  });
});
