import { searchRun } from './run-log.js';

/** What jest runs after all suites: the run's databases, its server and its scratch folder go; before, what it logged is searched. */
export default async function teardown(): Promise<void> {
  const folder = process.env['TEST_RUN_FOLDER'];
  try {
    if (folder !== undefined) {
      const { lines, secrets } = searchRun(folder);
      process.stdout.write(`\nThe log of this run: ${lines} lines, none with a person or one of ${secrets} secrets.\n`);
    }
  } finally {
    await globalThis.endTestRun?.();
  }
}
