/*
 * "not found" ─▶ the school corrects the e-mail ─▶ a file with that one row is dropped ─▶ registers, within a minute
 *                                                                                             │
 *                  an import that is being applied ─▶ signs in all the same, and opens an app ◀┘
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { importFeed } from '../../../src/sis/import.js';
import { extract, feedsFile, row, timeZone } from '../../sis/extract.js';
import type { Row } from '../../sis/extract.js';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { acceptTerms, askToRegister, choosePassword, enterApp, linkIn, pressLink, signIn } from '../steps.js';

const rights = { ed_rights: 'yes' };
const maria = (cells: Row = {}): Row => row('Ana', 'Maria', { ...rights, contact_id: 'E1', ...cells });
const others = Array.from({ length: 30 }, (_, index) => row(`Kid${index}`, `Mum${index}`, rights));

// The watched folder is looked at every five seconds, for files that nobody wrote to for three.
jest.setTimeout(90_000);

describe('a parent whose e-mail the school has wrong', () => {
  let inbox: string;
  let house: TestHouse;
  let mother: Browser;
  beforeAll(async () => {
    inbox = join(mkdtempSync(join(tmpdir(), 'parent-access-inbox-')), 'elementary');
    mkdirSync(inbox);
    house = await startTestHouse({ kind: 'postgres', inbox, apps: twoApps });
    mother = openBrowser();
    writeFileSync(join(inbox, 'night.csv'), extract([maria({ email: 'mario@example.org' }), ...others]));
    const done = join(inbox, 'done');
    await eventually(() => existsSync(done) && readdirSync(done).length === 1, Boolean, 60_000);
  });
  afterAll(async () => {
    await house.close();
    rmSync(join(inbox, '..'), { recursive: true });
  });

  const letters = (): number => house.mailbox.to('maria@example.org').length;

  it('finds no way in before', async () => {
    const page = await askToRegister(mother, house, 'maria@example.org');
    expect(page.url).toContain('/register/sent');
    expect(letters()).toBe(0);
  });

  it('registers within a minute after the correction was dropped, and opens eChoices', async () => {
    writeFileSync(join(inbox, 'room-12.delta.csv'), extract([maria()]));
    await eventually(
      async () => {
        await askToRegister(openBrowser(), house, 'maria@example.org');
        return letters();
      },
      (count) => count > 0,
      60_000,
    );
    const letter = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/activate'));
    await pressLink(mother, linkIn(letter, '/activate'));
    await choosePassword(mother);
    await acceptTerms(mother);
    expect((await enterApp(mother, house)).text).toContain('Ana');
  });

  it('signs in elsewhere and opens an app while an import that changes her own rows is being applied', async () => {
    let release = (): void => {};
    const decided = new Promise<void>((resolve) => (release = resolve));
    let applied = (): void => {};
    const applying = new Promise<void>((resolve) => (applied = resolve));
    const [feed] = feedsFile().feeds;
    if (feed === undefined) throw new Error('no feed');
    const path = join(inbox, '..', 'changed.csv');
    writeFileSync(path, extract([maria({ family_name: 'Other', phone2: '(213) 555-0142' }), ...others]));
    const run = importFeed(house.db, {
      feed,
      source: { path, delta: false },
      load: house.desk.load,
      clock: house.desk.clock,
      timeZone,
      actor: 'test',
      // The last thing in the transaction: every row is written, and every lock is held.
      audit: async () => {
        applied();
        await decided;
      },
    });
    await applying;
    try {
      const elsewhere = openBrowser();
      await enterApp(elsewhere, house);
      const page = await signIn(elsewhere, 'maria@example.org');
      expect(page.text).toContain('Ana');
      expect(page.url.startsWith(house.running.get('echoices')?.url ?? '-')).toBe(true);
    } finally {
      release();
    }
    expect(await run).toMatchObject({ state: 'applied' });
  });
});
