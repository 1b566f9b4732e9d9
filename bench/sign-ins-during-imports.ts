import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../src/database/database.js';
import { writeSample } from '../src/sis/sample/sample.js';
import { buildProgram } from '../test/command-line/built-program.js';
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

/** Each of the accounts is of a parent of the families that stand, who has the account's address at school too. */
async function giveFamilies(db: Database): Promise<void> {
  await sql`
    with families as (
      insert into proven_contacts (account_id, contact_id, proven_at, how)
      select a.id, c.id, now(), 'registration'
      from (select id, row_number() over (order by id) as n from accounts) a
      join (select c.id, row_number() over (order by c.id) as n from contacts c
        where exists (select from relationships r where r.contact_id = c.id and r.ended_at is null)) c on c.n = a.n
      returning account_id, contact_id
    )
    update contacts c set email = a.email from families f join accounts a on a.id = f.account_id
    where c.id = f.contact_id`.execute(db);
}

/** Sign-ins at a steady rate, without and with an import of a large file by the same server. */
export async function signInsDuringImports(): Promise<Finding[]> {
  const compiled = mkdtempSync(join(tmpdir(), 'parent-access-bench-'));
  const stage = await layStage([], {}, await buildProgram(compiled));
  const folder = stage.environment['DATA_DIR'] ?? '';
  const inboxes = { elementary: join(folder, 'elementary'), secondary: join(folder, 'secondary') };
  for (const inbox of Object.values(inboxes)) mkdirSync(inbox);
  const entry = { format: 'district-extract', unknown_rights: 'allow' };
  const feeds = Object.keys(inboxes).map((sis) => ({ ...entry, name: sis, sis, place: { folder: sis } }));
  writeFileSync(stage.environment['FEEDS_FILE'] ?? '', JSON.stringify({ feeds }));
  const inRoom = (sis: keyof typeof inboxes, room: string): number =>
    existsSync(join(inboxes[sis], room)) ? readdirSync(join(inboxes[sis], room)).length : 0;
  try {
    const emails = await parents(stage.database.db, 200);
    const { files } = await writeSample({ contacts, seed: 3, out: folder });
    await stage.start();
    // Who signs in while a school system is added has children in the other.
    renameSync(files.secondary, join(inboxes.secondary, 'large.csv'));
    while (inRoom('secondary', 'done') === 0) await pause(50);
    await giveFamilies(stage.database.db);
    await signIns(stage, emails, over(10));
    const calm = await signIns(stage, emails, over(calmSeconds));
    renameSync(files.elementary, join(inboxes.elementary, 'large.csv'));
    while (inRoom('elementary', 'working') === 0) await pause(50);
    const began = performance.now();
    const busy = await signIns(stage, emails, () => inRoom('elementary', 'done') === 1);
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
    rmSync(compiled, { recursive: true, force: true });
  }
}

function over(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1_000;
  return () => performance.now() > end;
}
