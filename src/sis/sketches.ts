import { hash } from 'node:crypto';

// A row: 128 bits of the digest of its text, the keys of its student and its contact, and a mark.
const digestBytes = 16;
const studentAt = digestBytes;
const contactAt = studentAt + 4;
const markAt = contactAt + 4;
const width = markAt + 1;
const rowsPerPart = 16_384;

/** The key of a row of which the ids cannot be known. */
export const noKey = 0;

/**
 * A number that stands for a person's id: FNV-1a, 32 bits. Two people may have the same, who are then taken for one family (`sift.ts`), which
 * costs a few rows and harms nobody.
 */
export function keyOf(id: string): number {
  let key = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) key = Math.imul(key ^ id.charCodeAt(at), 0x01000193);
  return key >>> 0 || 1;
}

/** The rows of a file in the order in which they stand there, 25 bytes each: enough to see which of them another file has too. */
export class Sketches {
  length = 0;

  /** @param parts as `contents` gave them; marks in them are changed in place */
  constructor(
    private readonly parts: Buffer[] = [],
    length = 0,
  ) {
    this.length = length;
  }

  /** @param text what the row says, whole */
  add(text: string, student: number, contact: number): void {
    if (this.length % rowsPerPart === 0) this.parts.push(Buffer.alloc(rowsPerPart * width));
    const [part, at] = this.placeOf(this.length);
    // A string, not a buffer: so many buffers at once take memory that is not given back in time.
    part.write(hash('sha256', text, 'binary'), at, digestBytes, 'latin1');
    part.writeUInt32LE(student, at + studentAt);
    part.writeUInt32LE(contact, at + contactAt);
    this.length += 1;
  }

  student(row: number): number {
    return this.number(row, studentAt);
  }

  contact(row: number): number {
    return this.number(row, contactAt);
  }

  /** A marked row is read every time. */
  mark(row: number): void {
    const [part, at] = this.placeOf(row);
    part[at + markAt] = 1;
  }

  isMarked(row: number): boolean {
    const [part, at] = this.placeOf(row);
    return part[at + markAt] === 1;
  }

  /** 32 bits of its digest. */
  short(row: number): number {
    return this.number(row, 0);
  }

  isEqual(row: number, others: Sketches, other: number): boolean {
    const [part, at] = this.placeOf(row);
    const [theirs, there] = others.placeOf(other);
    return part.compare(theirs, there, there + digestBytes, at, at + digestBytes) === 0;
  }

  /** What is kept of it, in parts of 400 KB. */
  *contents(): Generator<Buffer> {
    let left = this.length;
    for (const part of this.parts) {
      yield part.subarray(0, Math.min(left, rowsPerPart) * width);
      left -= rowsPerPart;
    }
  }

  private number(row: number, offset: number): number {
    const [part, at] = this.placeOf(row);
    return part.readUInt32LE(at + offset);
  }

  private placeOf(row: number): [part: Buffer, at: number] {
    const part = this.parts[Math.floor(row / rowsPerPart)];
    if (part === undefined) throw new RangeError(`There is no row ${row}.`);
    return [part, (row % rowsPerPart) * width];
  }
}
