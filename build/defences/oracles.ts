import type { Defence } from './defence.js';

/** What somebody who asks for others could learn from the answers: row 12. */
export const oracles: readonly Defence[] = [
  {
    row: 12,
    what: 'a registration answers alike whatever the phone',
    file: 'interactions/register/routes.ts',
    find: '    const origin = await knownInteraction(ctx, parts);\n',
    replacement:
      "    if ((await db.selectFrom('contact_phones').select('e164').where('e164', '=', phone).executeTakeFirst()) !== undefined)\n      ctx.set('Server-Timing', 'found');\n    const origin = await knownInteraction(ctx, parts);\n",
    test: 'test/attacks/row-12-oracle.test.ts',
    named: 'byte for byte',
  },
  {
    row: 12,
    what: 'the next answers in a browser wait for no decision about somebody who is known',
    file: 'src/accounts/settle-request.ts',
    find: '        .executeTakeFirst();\n      if (row === undefined',
    replacement: '        .forUpdate()\n        .executeTakeFirst();\n      if (row === undefined',
    test: 'test/attacks/row-12-oracle.test.ts',
    named: 'wait for no decision',
  },
  {
    row: 12,
    what: 'the limit of an address',
    file: 'interactions/register/routes.ts',
    find: 'await parts.throttles.address.spend(email.email);',
    replacement: '',
    test: 'test/attacks/row-12-oracle.test.ts',
    named: 'five for an address',
  },
  {
    row: 12,
    what: 'the limit of a source',
    file: 'interactions/register/routes.ts',
    find: "await parts.throttles.source.spend(String(ctx.state['source']));",
    replacement: '',
    test: 'test/attacks/row-12-oracle.test.ts',
    named: 'ten from one source',
  },
];
