import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import * as client from 'openid-client';
import { importCommand } from '../../src/desk/imports.js';
import { writeSample } from '../../src/sis/sample/sample.js';
import { apps, elementary } from '../provider/family.js';
import { register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import type { Row } from './extract.js';

type Tokens = Awaited<ReturnType<RelyingParty['tokens']>>;

/** Some 3,000 pairs of the synthetic district; `parent@example.org` with Sofía is among them. */
async function sampleRows(): Promise<Row[]> {
  const out = mkdtempSync(join(tmpdir(), 'parent-access-rollover-'));
  const { files } = await writeSample({ contacts: 4_600, seed: 5, out });
  const rows = parse(readFileSync(files.elementary), { columns: true }) as Row[];
  rmSync(out, { recursive: true });
  return rows;
}

describe('a year’s rollover', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let rows: Row[];
  beforeAll(async () => {
    rows = [...elementary, ...(await sampleRows())];
    house = await startTestHouse({ apps, elementary: rows });
    echoices = await relyingParty(house, 'echoices');
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  async function children(tokens: Tokens): Promise<string[]> {
    const answer = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    const { students } = (await answer.json()) as { students: Array<{ name: string }> };
    return students.map(({ name }) => name).toSorted();
  }
  async function signedIn(email: string, phone?: string): Promise<{ browser: Browser; tokens: Tokens }> {
    const browser = openBrowser();
    await register(browser, house, email, phone);
    return { browser, tokens: await echoices.tokens(browser) };
  }
  const sessions = () =>
    house.db
      .selectFrom('sessions')
      .select(['uid', 'revoked_at'])
      .where('account_id', 'is not', null)
      .orderBy('uid')
      .execute();

  it('that ends thousands of relationships in one approved run signs nobody out', async () => {
    const maria = await signedIn('maria@example.org');
    const pedro = await signedIn('pedro@example.org', '(213) 555-0122');
    const alma = await signedIn('parent@example.org');
    const before = await sessions();
    expect(before).toHaveLength(3);
    expect(await children(maria.tokens)).toEqual(['Ana López', 'Beto López']);

    // Ana, Tomas and Sofía leave, and three quarters of all; Beto stays.
    const kept = rows.filter((each, index) => each.student_id === 'Beto' || (index > 20 && index % 4 === 0));
    const held = await house.load('elementary', kept);
    expect(held.state).toBe('held');
    expect(held.plan?.relationships.ended).toBeGreaterThan(2_000);
    expect(await children(maria.tokens)).toEqual(['Ana López', 'Beto López']);
    const approved = await importCommand(house.desk, ['approve', held.runId, '--reason', 'rollover of the year']);
    expect(approved).toContain(`${held.plan?.relationships.ended} relationships ended`);

    expect(await sessions()).toEqual(before);
    expect(await house.db.selectFrom('deliveries').select('id').execute()).toEqual([]);
    expect(await house.db.selectFrom('revocations').select('id').execute()).toEqual([]);
    for (const [{ browser, tokens }, left] of [
      [maria, ['Beto López']],
      [pedro, []],
      [alma, []],
    ] as const) {
      const fresh = await client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
      expect(await children(fresh)).toEqual(left);
      // The session goes on in a new app too, without a password.
      expect(await children(await echoices.tokens(browser))).toEqual(left);
      expect((await browser.get(`${house.issuer}/`)).text).toContain('Hello');
    }
  });
});
