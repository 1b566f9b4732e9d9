import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeDoor } from '../../src/http/door.js';
import type { Door } from '../../src/http/door.js';
import { values } from '../../src/values.js';
import { freePort } from '../support/house.js';

describe('an instance that ends', () => {
  const ends: Array<() => void> = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** A door that answers once a test lets it, and what came to it. */
  async function opened(patience?: number) {
    const port = await freePort();
    const release: Array<() => void> = [];
    let came: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      came = resolve;
    });
    const door: Door = makeDoor(async (_request, response) => {
      release.push(() => response.end('done'));
      came();
    }, patience);
    await door.open(port, '127.0.0.1');
    return { door, port, release, arrived };
  }

  it('lets a request at work finish', async () => {
    const { door, port, release, arrived } = await opened();
    const answer = fetch(`http://127.0.0.1:${port}/`);
    await arrived;
    const closed = door.close(0);
    for (const each of release) each();
    expect(await (await answer).text()).toBe('done');
    await closed;
  });

  it('waits for nobody for ever: neither for a form that is not sent to its end, nor for an answer that does not come', async () => {
    const { door, port, arrived } = await opened(0.1);
    const half = connect(port, '127.0.0.1');
    ends.push(() => half.destroy());
    half.on('error', () => {});
    const gone = once(half, 'close').then(() => 'gone');
    half.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    await arrived;
    await door.close(0);
    expect(await gone).toBe('gone');
  });

  it('is over within ten seconds, by what it allows itself', () => {
    expect(values.closingNotice + values.closingWork).toBeLessThan(10);
  });
});
