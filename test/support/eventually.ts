/**
 * Asks again until the answer is as wished: for what happens soon after, such as a delivery.
 *
 * @returns the last answer, wished for or not, after ten seconds at most
 */
export async function eventually<Value>(
  ask: () => Promise<Value> | Value,
  wished: (value: Value) => boolean,
  milliseconds = 10_000,
): Promise<Value> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await ask();
    if (wished(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
