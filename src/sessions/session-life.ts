import { values } from '../values.js';

/**
 * Whose computer a person signs in on, as they said: their own for the day, their own and to be kept, or one that others
 * use after them.
 */
export const devices = ['own', 'kept', 'shared'] as const;
export type Device = (typeof devices)[number];

/** Reads a typed or stored choice; anything unknown is the careful middle. */
export function deviceOf(value: unknown): Device {
  return devices.find((device) => device === value) ?? 'own';
}

/** What a session's life depends on. */
export interface LivingSession {
  /** Seconds since 1970; undefined before anybody signed in. */
  loginTs?: number | undefined;
  device?: unknown;
}

const lives = { own: values.session, kept: values.keptSession, shared: values.sharedSession };

/** Whether a session has reached its end, however much it was used. */
export function isOver({ loginTs, device }: LivingSession, now: Date): boolean {
  return loginTs !== undefined && loginTs + lives[deviceOf(device)] <= now.getTime() / 1000;
}

/**
 * How long a session lives from `now` if it is not used again, in whole seconds, at least one.
 * 12 hours after sign-in; kept: 30 days, 14 of them idle; shared computer: 60 minutes, 15 of them idle.
 */
export function secondsToLive({ loginTs, device }: LivingSession, now: Date): number {
  if (loginTs === undefined) return values.interaction;
  const left = (life: number): number => Math.max(1, Math.floor(loginTs + life - now.getTime() / 1000));
  switch (deviceOf(device)) {
    case 'kept':
      return Math.min(values.keptSessionIdle, left(values.keptSession));
    case 'shared':
      return Math.min(values.sharedSessionIdle, left(values.sharedSession));
    case 'own':
      return left(values.session);
  }
}
