import type { Progress } from './sis/import.js';

/** How long nothing is said between two lines of progress (ms). */
const quiet = 1_000;

/** Tells how far an import is: on a terminal one line that is written over, elsewhere a JSON object a line. */
export function progressOn({ err }: { err(text: string): void }, terminal: boolean): (progress: Progress) => void {
  const began = Date.now();
  let said = 0;
  return ({ stage, read, expected }) => {
    const now = Date.now();
    if (stage !== 'comparing' && now - said < quiet) return;
    said = now;
    if (stage === 'fetching') {
      if (terminal) process.stderr.write(`\r\x1b[K${(read / 2 ** 20).toFixed(1)} MB fetched`);
      else err(JSON.stringify({ stage, bytes: read }));
      return;
    }
    const rate = Math.round((read * 1_000) / Math.max(1, now - began));
    const left = expected === null || rate === 0 ? null : Math.max(0, Math.ceil((expected - read) / rate));
    if (!terminal) return err(JSON.stringify({ stage, rows: read, rowsPerSecond: rate, secondsLeft: left }));
    const about = stage === 'comparing' ? 'comparing and applying' : left === null ? '' : `about ${left} s left`;
    process.stderr.write(`\r\x1b[K${read} rows, ${rate} a second ${about}${stage === 'comparing' ? '\n' : ''}`);
  };
}
