import type { Defence } from './defence.js';

/** Who would be kept out of their own account by somebody who knows its address: row 13. */
export const keptOut: readonly Defence[] = [
  {
    row: 13,
    what: 'one known device that is tried again and again takes from the others no more than its own',
    file: 'src/accounts/sign-in.ts',
    find: 'if (known !== null) await perDevice.spend(atDevice);',
    replacement: 'if (known !== null && (await isWithin(perOwner, who))) await perDevice.spend(atDevice);',
    test: 'test/http/known-device.test.ts',
    named: 'however often another',
  },
  {
    row: 13,
    what: 'a known device recovers whatever others in the same home asked for',
    file: 'interactions/recover/routes.ts',
    find: 'if (device !== null) {',
    replacement: 'if (device !== null) {\n    await perSource.spend(source);',
    test: 'test/http/request-throttles.test.ts',
    named: 'in the same home',
  },
  {
    row: 13,
    what: 'a device is known for recoveries when the keys that signed its cookie are gone',
    file: 'interactions/recover/routes.ts',
    find: "cookies.getUnsigned(ctx, 'device')",
    replacement: "cookies.get(ctx, 'device')",
    test: 'test/http/request-throttles.test.ts',
    named: 'used long ago',
  },
];
