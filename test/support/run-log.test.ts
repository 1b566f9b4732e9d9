import { describe, expect, it } from '@jest/globals';
import { givenAway } from './run-log.js';

/** The search at the end of a run, so that its silence means something. */
describe('the search of the log', () => {
  it.each([
    ['an e-mail address', '{"msg":"sent to maria@example.org"}'],
    ['a phone', '{"to":"+12135550100"}'],
    ['a name', '{"msg":"hello Maria"}'],
    ['a name', '{"student":"Ana"}'],
    ['a name', '{"msg":"no right for Tomás"}'],
    ['a password', '{"p":"a long way to school"}'],
    ['a secret', '{"route":"/activate?token=3kJx9vT2mQ8sLw1ZpR5yB7"}'],
  ])('finds %s', (what, line) => {
    expect(givenAway([line], new Set(['3kJx9vT2mQ8sLw1ZpR5yB7'])).join('')).toContain(what);
  });

  it('is content with a line that names nobody', () => {
    expect(givenAway(['{"route":"/interaction/:id","status":200}'], new Set(['3kJx9vT2mQ8sLw1ZpR5yB7']))).toEqual([]);
  });
});
