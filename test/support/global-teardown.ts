/** What jest runs after all suites: the run's databases, its server and its scratch folder go. */
export default async function teardown(): Promise<void> {
  await globalThis.endTestRun?.();
}
