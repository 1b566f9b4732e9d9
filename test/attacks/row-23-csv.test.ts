import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { coverageCommand } from '../../src/desk/coverage.js';
import { csv } from '../../src/ui/csv.js';
import { row } from '../sis/extract.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1+1', '\r=1+1', '=HYPERLINK("https://evil.example","go")'];

describe('row 23: formulas in exports', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: formulas.map((formula, index) =>
        row(`Kid${index}`, `Mum${index}`, {
          school_code: `=${index}`,
          school_name: formula,
          phone1: `(213) 555-010${index}`,
        }),
      ),
    });
  });
  afterAll(() => house.close());

  it('never begin a cell of the coverage, whatever a feed calls its schools', async () => {
    const text = await coverageCommand(house.desk, ['--by', 'both', '--csv']);
    const [head = [], ...lines] = parse(text, { record_delimiter: '\r\n' });
    expect(head.slice(0, 4)).toEqual(['feed', 'school code', 'school', 'language']);
    expect(lines).toHaveLength(formulas.length + 1);
    expect(lines.flat().filter((cell) => /^[=+\-@\t\r\n]/.test(cell))).toEqual([]);
    const names = lines.map((line) => line[2] ?? '');
    expect(names).toContain("'=1+1");
    expect(names).toContain('\'=HYPERLINK("https://evil.example","go")');
    expect(lines.at(-1)?.slice(0, 2)).toEqual(['total', 'each contact once']);
  });

  it('are texts in every cell, with quotes, commas and line breaks as they were (RFC 4180)', () => {
    for (const formula of formulas) expect(parse(csv([[formula, 1]]))).toEqual([[`'${formula}`, '1']]);
    const cells = ['a,b', 'say "hi"', 'two\r\nlines', 'plain', ''];
    const text = csv([cells, ['x', 'y', 'z', 'u', -3]]);
    expect(text.endsWith('-3\r\n')).toBe(true);
    expect(parse(text, { record_delimiter: '\r\n' })).toEqual([cells, ['x', 'y', 'z', 'u', '-3']]);
  });
});
