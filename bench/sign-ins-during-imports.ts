import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeSample } from '../src/sis/sample/sample.js';
import { openBrowser } from '../test/support/browser.js';
import { share } from '../faults/house.js';
import type { Finding } from '../faults/house.js';
import { parents, password } from '../faults/parents.js';
import { layStage } from '../faults/program.js';
import type { Stage } from '../faults/program.js';

const contacts = 400_000;
/** Whole sign-ins begun each second, whatever became of those before: a quarter of what two cores can do. */
const perSecond = 4;
const calmSeconds = 40;

/** Begins sign-ins at a steady rate until it is told to stop. @returns how long each took, ms */
async function signIns(stage: Stage, emails: readonly string[], until: () => boolean): Promise<number[]> {
  const times: number[] = [];
  const under: Array<Promise<void>> = [];
  for (let each = 0; !until(); each += 1) {
    under.push(
      (async () => {
        const began = performance.now();
        const browser = openBrowser();
        await browser.get(`${stage.issuer}/sign-in`);
        const page = await browser.submit({ identifier: emails[each % emails.length] ?? '', password });
        if (page.url !== `${stage.issuer}/`) throw new Error(`not signed in: ${page.status} ${page.url}`);
        times.push(performance.now() - began);
      })(),
    );
    await pause(1_000 / perSecond);
  }
  await Promise.all(under);
  return times;
}

/** Sign-ins at a steady rate, without and with an import of a large file by the same server. */
export async function signInsDuringImports(): Promise<Finding[]> {
  const stage = await layStage([]);
  const folder = stage.environment['DATA_DIR'] ?? '';
  const inbox = join(folder, 'inbox');
  mkdirSync(inbox);
  const entry = { name: 'elementary', sis: 'elementary', format: 'district-extract', unknown_rights: 'allow' };
  writeFileSync(
    stage.environment['FEEDS_FILE'] ?? '',
    JSON.stringify({ feeds: [{ ...entry, place: { folder: 'inbox' } }] }),
  );
  try {
    const emails = await parents(stage.database.db, 200);
    const { files } = await writeSample({ contacts, seed: 3, out: folder });
    await stage.start();
    await signIns(stage, emails, over(10));
    const calm = await signIns(stage, emails, over(calmSeconds));
    const inRoom = (room: string): number =>
      existsSync(join(inbox, room)) ? readdirSync(join(inbox, room)).length : 0;
    renameSync(files.elementary, join(inbox, 'large.csv'));
    while (inRoom('working') === 0) await pause(50);
    const began = performance.now();
    const busy = await signIns(stage, emails, () => inRoom('done') === 1);
    const seconds = (performance.now() - began) / 1_000;
    const again = await signIns(stage, emails, over(calmSeconds));
    const without = share([...calm, ...again], 0.95);
    const during = share(busy, 0.95);
    return [
      {
        name: `sign-ins, ${perSecond} a second, while the same server loads a first file of ${contacts} contacts (${seconds.toFixed(0)} s)`,
        bar: 'p95 ≤ 1.5 × without an import',
        measured: `${(during / without).toFixed(2)} × (${Math.round(during)} ms of ${busy.length} against ${Math.round(without)} ms of ${calm.length + again.length}; medians ${Math.round(share(busy, 0.5))} and ${Math.round(share([...calm, ...again], 0.5))} ms)`,
        holds: during / without <= 1.5,
      },
    ];
  } finally {
    await stage.close();
  }
}

function over(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1_000;
  return () => performance.now() > end;
}
