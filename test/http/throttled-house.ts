import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { elementary } from '../provider/family.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

/** Opens a house with the design's own limits for the suite that calls this, and hands it over; no limit is used when a test begins. */
export function useThrottledHouse(take: (house: TestHouse) => void | Promise<void>): void {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, environment: { THROTTLE_SCALE: '1' } });
    await take(house);
  });
  afterAll(() => house.close());
  beforeEach(async () => {
    await house.db.deleteFrom('throttles').execute();
  });
}
