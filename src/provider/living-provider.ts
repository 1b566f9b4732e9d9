import type { Middleware } from 'koa';
import mount from 'koa-mount';
import type Provider from 'oidc-provider';
import type { KeyRing } from '../keys/keys.js';
import type { Interactions } from './interactions.js';

/** The provider of the moment, in a house that stays open while its keys change. */
export interface LivingProvider {
  /** Answers a request on the provider that is current when it comes; it ends on that one, whatever comes meanwhile. */
  handle: Middleware;
  /** Each call is made on the provider that is current then: all that an interaction is stands in the database. */
  interactions: Interactions;
  /** From now on requests are answered with these keys. */
  follow(keys: KeyRing): void;
}

/** An object whose every method is that of the one that is current when it is called. */
function following<T extends object>(current: () => T): T {
  return new Proxy({} as T, {
    get: (_none, name) => {
      if (!(name in current())) return undefined;
      return (...given: unknown[]): unknown =>
        (Reflect.get(current(), name) as (...given: unknown[]) => unknown)(...given);
    },
  });
}

/**
 * The library's keys are fixed at its making (its documentation has no way to change them), so keys that change make a
 * new provider, which takes the place of the one before (decision 9).
 */
export function livingProvider(
  make: (keys: KeyRing) => Provider,
  pagesOn: (provider: Provider) => Interactions,
  keys: KeyRing,
): LivingProvider {
  const on = (ring: KeyRing): { handle: Middleware; interactions: Interactions } => {
    const provider = make(ring);
    return { handle: mount(provider), interactions: pagesOn(provider) };
  };
  let current = on(keys);
  return {
    handle: (ctx, next) => current.handle(ctx, next),
    interactions: following(() => current.interactions),
    follow(ring) {
      current = on(ring);
    },
  };
}
