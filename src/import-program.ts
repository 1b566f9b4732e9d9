import { auditLog } from './audit/audit.js';
import { parseConfig } from './config.js';
import { systemClock } from './database/clock.js';
import { openDatabase } from './foundation.js';
import type { Answer, Asked } from './import-apart.js';
import { importParts, runImport } from './imports.js';
import { restingDatabase, restingLoader } from './sis/rest.js';
import type { RunReport } from './sis/runs.js';

/*
 * One import for a server that asks for it (`import-apart.ts`), by way of the process that started this one (`import-starter.ts`). It yields to
 * whatever serves people, and ends with the server that asked; Ctrl+C is the server's to obey, which waits for what it began.
 */

async function imported({ feeds, feed, actor, request }: Asked): Promise<RunReport> {
  const config = parseConfig(process.env);
  const importDatabase = await openDatabase(config, { patient: true });
  try {
    const parts = importParts({ config, clock: systemClock, feeds, importDatabase }, auditLog(systemClock));
    const resting = { ...parts, db: restingDatabase(parts.db), load: restingLoader(parts.load) };
    return await runImport(resting, feed, actor, request);
  } finally {
    await importDatabase.close();
  }
}

function fault(error: unknown): Answer {
  const { name, message } = error instanceof Error ? error : new Error('The import failed.');
  return { error: { name, message, code: error instanceof Error && 'code' in error ? error.code : undefined } };
}

process.on('SIGINT', () => {});
const gone = (): void => process.exit(1);
process.once('disconnect', gone);
process.once('message', (asked: Asked) => {
  void imported(asked)
    .then((report): Answer => ({ report }), fault)
    .then((answer) => {
      process.off('disconnect', gone);
      process.send?.(answer, () => process.disconnect());
    });
});
