import { describe, expect, it } from '@jest/globals';
import { safePath, safeUrl } from '../../src/ui/safe-url.js';

describe('a link', () => {
  it.each(['https://app.example/a?b=c', 'http://localhost:3000/', '/help#documents', '#field-email'])(
    'may be %s',
    (address) => {
      expect(safeUrl(address)).toBe(address);
    },
  );

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,<script>',
    'vbscript:x',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'help',
    '',
  ])('may not be %j', (address) => {
    expect(safeUrl(address)).toBeUndefined();
  });
});

describe('a way back', () => {
  it('stays on this site', () => {
    expect(safePath('/register?interaction=a')).toBe('/register?interaction=a');
    for (const path of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\n/evil.example',
      'x',
      '',
      undefined,
    ]) {
      expect(safePath(path)).toBeUndefined();
    }
  });
});
