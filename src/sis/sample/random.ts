/** A seeded source of choices: the same seed gives the same district on every machine. */
export interface Random {
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** mulberry32: 32 bits of state, one per family, so that a family does not depend on those before it. */
export function seeded(...parts: number[]): Random {
  let state = parts.reduce(
    (mixed, part) => Math.imul(mixed ^ (part + 0x9e3779b9), 0x85ebca6b) ^ (mixed >>> 13),
    0x2545f491,
  );
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (limit) => Math.floor((next() / 4_294_967_296) * limit),
    pick(list) {
      return list[Math.floor((next() / 4_294_967_296) * list.length)] ?? list[0];
    },
  };
}
