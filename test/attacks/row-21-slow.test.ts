import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elementary } from '../provider/family.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

/** Row 21: who sends for ever is cut off by the server, not by its own patience. */
describe('row 21: a sender who never ends', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
  });
  afterAll(() => house.close());

  /** Sends a beginning, then a sign a second, until the server closes. @returns what the server said */
  function drip(beginning: string): Promise<string> {
    const { port } = new URL(house.issuer);
    return new Promise((resolve) => {
      let said = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(beginning));
      const dripping = setInterval(() => socket.write('a'), 1_000);
      socket.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(dripping);
        resolve(said);
      });
    });
  }

  it('of headers or of a body is told 408 and cut off, and a page is served meanwhile', async () => {
    const { host } = new URL(house.issuer);
    const form = 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 10000';
    const slow = Promise.all([
      drip(`GET / HTTP/1.1\r\nhost: ${host}\r\nx-slow: `),
      drip(`POST /register HTTP/1.1\r\nhost: ${host}\r\norigin: ${house.issuer}\r\n${form}\r\n\r\nemail=`),
    ]);
    expect((await fetch(`${house.issuer}/help`)).status).toBe(200);
    const said = await slow;
    expect(said.map((text) => text.split('\r\n')[0])).toEqual([
      'HTTP/1.1 408 Request Timeout',
      'HTTP/1.1 408 Request Timeout',
    ]);
    // The limits are 10 and 30 seconds; without them this would wait for ever.
  }, 40_000);
});
