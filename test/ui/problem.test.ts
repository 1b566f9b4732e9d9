import { describe, expect, it } from '@jest/globals';
import { ProblemPage } from '../../interactions/problem/page.js';
import type { ProblemKind } from '../../interactions/problem/page.js';
import { renderPage } from '../../src/ui/render.js';
import { viewFor } from './gallery.js';

describe('how long to wait', () => {
  const kind: ProblemKind = 'too-many';

  it.each([
    [1, '1 minute '],
    [90, '90 minutes'],
    [1_440, '24 hours'],
  ])('%d minutes read as %s', (retryAfterMinutes, words) => {
    const props = { kind, requestId: 'r', wayBack: null, retryHref: null, retryAfterMinutes };
    expect(renderPage(ProblemPage, viewFor('en'), props)).toContain(`Wait ${words}`);
  });
});
