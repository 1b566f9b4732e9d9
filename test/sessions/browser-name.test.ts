import { expect, it } from '@jest/globals';
import { browserName } from '../../src/sessions/browser-name.js';

it.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    'Chrome, Linux',
  ],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0', 'Firefox, Windows'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
    'Safari, iOS',
  ],
])('a browser is named in coarse words', (header, name) => {
  expect(browserName(header)).toBe(name);
});

it.each([
  'Call (213) 555-0100 now/1.0 (x)',
  'red \u009b31m/1.0 (x)',
  'back \u202ewards/1 x',
  'install-4711/2 y',
  '__proto__/1 x',
  '',
])('nothing of a header is repeated: %j', (header) => {
  expect(browserName(header)).toBeNull();
});
