import { describe, expect, it } from '@jest/globals';
import { makeLogger, withoutPersonalData } from '../../src/telemetry/logger.js';

function logged(write: (logger: ReturnType<typeof makeLogger>) => void): string[] {
  const lines: string[] = [];
  write(makeLogger({ logLevel: 'debug' }, { write: (line: string) => void lines.push(line) }));
  return lines;
}

/** Row 23: what others say of people does not reach the log through an error. */
describe('the log', () => {
  const refused = Object.assign(new Error('Can’t send mail: 550 5.1.1 <ana.lopez@example.org> no such user'), {
    code: 'EENVELOPE',
    responseCode: 550,
    response: '550 5.1.1 <ana.lopez@example.org>',
    rejected: ['ana.lopez@example.org'],
    detail: 'Key (email)=(ana.lopez@example.org) already exists.',
    parameters: ['+12135550100'],
  });

  it('tells the code and the place of an error, and nobody’s address, phone or secret', () => {
    const [line = ''] = logged((logger) => logger.error({ err: refused }, 'failed'));
    const told = JSON.parse(line) as { err: Record<string, unknown> };
    expect(told.err).toMatchObject({ type: 'Error', code: 'EENVELOPE', responseCode: 550 });
    expect(told.err['message']).toBe('Can’t send mail: 550 5.1.1 <[address]> no such user');
    expect(line).not.toMatch(/ana|lopez|example\.org|5550100/);
    expect(JSON.stringify(told.err['stack'])).toContain('logger.test');
  });

  it('cuts the same out of causes', () => {
    const [line = ''] = logged((logger) => logger.warn({ err: new Error('later', { cause: refused }) }, 'failed'));
    expect(line).toContain('EENVELOPE');
    expect(line).not.toMatch(/ana|lopez|example\.org/);
  });

  it('is one line an event, whatever line breaks a text brings', () => {
    const lines = logged((logger) => logger.info({ err: new Error('a\r\n{"level":60}\nb\u2028c') }, 'x\ny'));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\r\n\u2028]/);
  });

  it.each([
    ['call (213) 555-0100 now', 'call [phone] now'],
    ['+12135550100', '[phone]'],
    ['code 3kJx9vT2mQ8sLw1ZpR5yB7 used', 'code [secret] used'],
    ['Ана@пример.рф', '[address]'],
    ['a plain sentence about nothing', 'a plain sentence about nothing'],
  ])('%s', (said, kept) => {
    expect(withoutPersonalData(said)).toBe(kept);
  });
});
