/** The present moment. Passed wherever time matters, so that tests, and instances whose clocks differ, decide what "now" is. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();
