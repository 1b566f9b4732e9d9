import { describe, expect, it } from '@jest/globals';
import { deliveryChecks } from '../../src/doctor/deliveries.js';
import { databases } from '../support/database.js';
import { deliveryScene } from './delivery-scene.js';

describe.each(databases)('what the doctor says of sign-outs, on %s', (kind) => {
  const scene = deliveryScene(kind);

  it('names the app that has not confirmed after five minutes, or said no; one that only just was told is in order', async () => {
    const fine = [expect.objectContaining({ name: 'sign-outs', state: 'ok' })];
    const echoices = await scene.app('echoices');
    echoices.answer = (response) => response.writeHead(500).end();
    await scene.session('u', 'echoices');
    await scene.end({ session: 'u' });
    expect(await deliveryChecks(scene.db, scene.clock)).toEqual(fine);
    scene.advance(301);
    expect(await deliveryChecks(scene.db, scene.clock)).toEqual([
      expect.objectContaining({
        name: 'sign-outs of echoices',
        state: 'warning',
        found: 'The app has not confirmed 1 sign-outs of the last two days.',
        repair: expect.stringContaining('clients health --client echoices'),
      }),
    ]);
    echoices.answer = (response) => response.writeHead(200).end();
    scene.deliver();
    await scene.settled(1);
    expect(await deliveryChecks(scene.db, scene.clock)).toEqual(fine);
  });
});
