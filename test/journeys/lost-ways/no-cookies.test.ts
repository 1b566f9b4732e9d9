import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elementary } from '../../provider/family.js';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { enterApp, interactionOf } from '../steps.js';

describe('a browser that keeps no cookies', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
  });
  afterAll(() => house.close());

  it.each([
    ['en-US', 'must allow cookies', 'Back to eChoices'],
    ['es', 'debe permitir las cookies', 'Volver a eChoices'],
  ])('is told so in %s, with the way back to the app', async (locale, sentence, back) => {
    const started = openBrowser({ locale });
    const uid = interactionOf(await enterApp(started, house));
    const page = await openBrowser({ locale }).get(`${house.issuer}/interaction/${uid}`);
    expect(page.status).toBe(400);
    expect(page.text).toContain(sentence);
    const link = page.$$('main a').find((anchor) => anchor.text.trim() === back);
    expect(link?.getAttribute('href')).toContain('/login');
  });

  it('is told nothing of cookies when the sign-in is long over', async () => {
    const uid = interactionOf(await enterApp(openBrowser(), house));
    await house.db
      .updateTable('artifacts')
      .set({ consumed_at: new Date() })
      .where('kind', '=', 'Interaction')
      .where('id_hash', '=', uid)
      .execute();
    const page = await openBrowser().get(`${house.issuer}/interaction/${uid}`);
    expect(page.text).not.toContain('cookies');
    expect(page.title).toContain('That took too long');
  });
});
