import { describe, expect, it } from '@jest/globals';
import { password, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';
import { useThrottledHouse } from './throttled-house.js';
import { atSignIn, tries } from './desk.js';

const maria = 'maria@example.org';
const wrong = 'not the way to school';

/** Row 13: a stranger at the limit does not lock the owner out of a device the owner used before. */
describe('a device that its owner used before', () => {
  let house: TestHouse;
  useThrottledHouse(async (opened) => {
    house = opened;
    await register(openBrowser({ from: '127.0.9.1' }), house, maria);
  });

  /** The owner's browser, signed out again. */
  async function usedBefore(from: string, device = 'own'): Promise<Browser> {
    const browser = await atSignIn(house, from);
    await browser.submit({ identifier: maria, password, device });
    expect((await browser.get(`${house.issuer}/`)).text).toContain('Ana');
    const now = new Date();
    await house.db.updateTable('sessions').set({ revoked_at: now, revoked_because: 'test' }).execute();
    await browser.get(`${house.issuer}/sign-in`);
    return browser;
  }

  /** Somebody else at the same address, until both limits are reached. */
  async function exhaust(from: string): Promise<void> {
    const stranger = await atSignIn(house, from);
    for (let person = 0; person < 14; person += 1) await tries(stranger, `x${person}@example.org`, wrong, 1);
    await tries(stranger, maria, wrong, 7);
    expect(await tries(stranger, maria, password, 1)).toEqual([429]);
  }

  it('takes the right password while the same address is refused to everybody else', async () => {
    const owner = await usedBefore('127.0.10.1');
    await exhaust('127.0.10.1');
    expect((await owner.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('is known for its owner alone, and has a limit of its own', async () => {
    const owner = await usedBefore('127.0.10.2');
    await exhaust('127.0.10.2');
    expect(await tries(owner, 'pedro@example.org', wrong, 1)).toEqual([429]);
    expect(await tries(owner, 'MARIA@example.org', wrong, 6)).toEqual([422, 422, 422, 422, 422, 429]);
  });

  it('is not known when it is a shared computer', async () => {
    const library = await usedBefore('127.0.10.3', 'shared');
    await exhaust('127.0.10.3');
    expect(await tries(library, maria, password, 1)).toEqual([429]);
  });

  it('cannot be made up: a cookie of one’s own making, or of another account, is a stranger’s', async () => {
    const owner = await usedBefore('127.0.10.4');
    const cookies = await owner.cookies(house.issuer);
    const forged = openBrowser({ from: '127.0.10.4' });
    const mine = cookies['pa-device'] ?? '';
    expect(mine).not.toContain('maria');
    await forged.jar.setCookie(`pa-device=${mine}x`, house.issuer);
    await forged.jar.setCookie(`pa-device.sig=${cookies['pa-device.sig'] ?? ''}`, house.issuer);
    await exhaust('127.0.10.4');
    await forged.get(`${house.issuer}/sign-in`);
    expect(await tries(forged, maria, password, 1)).toEqual([429]);
  });

  it('stays known when the keys that signed its cookie are long gone', async () => {
    const owner = await usedBefore('127.0.10.7');
    await owner.jar.setCookie('pa-device.sig=of-a-key-that-is-gone', house.issuer);
    await exhaust('127.0.10.7');
    expect((await owner.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('gives no more than ten tries over as many devices as somebody collects', async () => {
    const devices = [];
    for (let index = 0; index < 4; index += 1) devices.push(await usedBefore('127.0.10.6'));
    await exhaust('127.0.10.6');
    const statuses = [];
    for (const owner of devices) statuses.push(...(await tries(owner, maria, wrong, 5)));
    expect(statuses.filter((status) => status === 422)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });

  it('keeps its own limit, however often another such device is tried', async () => {
    const phone = await usedBefore('127.0.10.8');
    const atHome = await usedBefore('127.0.10.8');
    // Its own five, and a stranger's.
    expect((await tries(atHome, maria, wrong, 12)).filter((status) => status === 422)).toHaveLength(10);
    await exhaust('127.0.10.8');
    expect((await phone.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('is not kept from its owner by who copied its cookie once, and tries passwords by it from anywhere', async () => {
    const owner = await usedBefore('127.0.10.9');
    const copy = await atSignIn(house, '127.0.10.10');
    await copy.jar.setCookie(`pa-device=${(await owner.cookies(house.issuer))['pa-device'] ?? ''}`, house.issuer);
    await tries(copy, maria, wrong, 12);
    expect((await owner.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('is not needed to recover: a stranger at the limit leaves that way open', async () => {
    await exhaust('127.0.10.5');
    const browser = openBrowser({ from: '127.0.10.5' });
    await browser.get(`${house.issuer}/recover`);
    expect((await browser.submit({ identifier: maria })).url).toMatch(/\/recover\/sent$/);
  });
});
