import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stylesheet } from '../../src/ui/assets.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

/** Row 21: who asks and does not read what comes is cut off by the server. */
describe('row 21: a reader who does not read', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse();
  });
  afterAll(() => house.close());

  /** Asks for our largest file on one connection, again and again, until the server ends it. @returns bytes that were taken */
  function ask(bytesASecond: number): Promise<number> {
    const { port, host } = new URL(house.issuer);
    return new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1').pause();
      // More is asked for than the buffers of both sides hold, so that an answer has to wait.
      const asking = setInterval(() => socket.write(`GET ${stylesheet.path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`), 5);
      const reading = setInterval(() => bytesASecond > 0 && socket.read(bytesASecond), 1_000);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(asking);
        clearInterval(reading);
        resolve(socket.bytesRead);
      });
    });
  }

  it('anything, or hardly, is cut off, and others are served meanwhile', async () => {
    const unread = Promise.all([ask(0), ask(0), ask(100)]);
    for (let time = 0; time < 8; time += 1) {
      const answer = await fetch(`${house.issuer}${stylesheet.path}`);
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBe(stylesheet.body.length);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    // What was taken is what a connection buffers; without the limit this would wait for ever.
    for (const bytes of await unread) expect(bytes).toBeLessThan(2 ** 20);
  }, 30_000);
});
