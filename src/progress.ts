import type { Progress } from './sis/import.js';

/** How long nothing is said at the begin of a stage and between two lines of it (ms). */
const quiet = 1_000;

/**
 * Tells how far an import is: on a terminal one line that is written over, elsewhere a JSON object a line. Rate and time left are those of
 * the stage: one takes rows many times as fast as the next.
 *
 * @param write to the terminal, with no line end of its own; null where there is none
 * @param clock in milliseconds
 */
export function progressOn(
  { err }: { err(text: string): void },
  write: ((text: string) => void) | null,
  clock: () => number = Date.now,
): (progress: Progress) => void {
  let begun: { stage: Progress['stage']; at: number; read: number } | null = null;
  let said = 0;
  const say = (line: object, words: string): void => {
    if (write === null) err(JSON.stringify(line));
    else write(`\r\x1b[K${words}`);
  };
  return ({ stage, read, expected }) => {
    const now = clock();
    if (begun?.stage !== stage) {
      begun = { stage, at: now, read };
      said = now;
      if (stage === 'comparing') say({ stage, rows: read }, `${read} rows read; comparing\n`);
      return;
    }
    if (now - said < quiet) return;
    said = now;
    if (stage === 'fetching') return say({ stage, bytes: read }, `${(read / 2 ** 20).toFixed(1)} MB fetched`);
    const rate = Math.round(((read - begun.read) * 1_000) / (now - begun.at));
    const left = expected === null || rate === 0 ? null : Math.max(0, Math.ceil((expected - read) / rate));
    const about = left === null ? '' : `, about ${left} s left`;
    const did = { skimming: 'skimmed', reading: 'read', comparing: 'compared', applying: 'applied' }[stage];
    say(
      { stage, rows: read, rowsPerSecond: rate, secondsLeft: left },
      `${read} rows ${did}, ${rate} a second${about}${stage === 'applying' ? '\n' : ''}`,
    );
  };
}
