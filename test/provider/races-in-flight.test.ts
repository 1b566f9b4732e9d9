import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { revoke } from '../../src/sessions/revoke.js';
import type { Target } from '../../src/sessions/revoke.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

/** SECURITY-BARS row 3, for what an app is in the middle of: whichever comes first, nothing works afterwards. */
describe('a code and a refresh in flight undo no end', () => {
  // Once at each of eight moments; `npm run faults -- ends-in-flight` asks for fifty.
  const rounds = Number(process.env['RACE_ROUNDS'] ?? 8);
  let house: TestHouse;
  let echoices: RelyingParty;
  let account = '';
  beforeAll(async () => {
    ({ house, echoices } = await familyHouse('echoices'));
    account = (await house.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()).id;
  });
  afterAll(() => house.close());

  const credentials = () => ({ clientId: 'echoices', secret: house.secret });
  const live = (browser: Browser) =>
    house.db
      .selectFrom('sessions as s')
      .innerJoin('session_authorizations as z', 'z.session_uid', 's.uid')
      .select(['s.uid', 'z.sid'])
      .where('s.revoked_at', 'is', null)
      .orderBy('z.created_at', 'desc')
      .executeTakeFirstOrThrow()
      .then((row) => ({ ...row, browser }));

  const targets: Array<[string, (of: { uid: string; sid: string }) => Target]> = [
    ['a session', ({ uid }) => ({ session: uid })],
    ['an account', () => ({ account })],
    ['an app', () => ({ app: 'echoices' })],
    ['an app of an account', () => ({ app: 'echoices', account })],
    ['an app of a session', ({ sid }) => ({ app: 'echoices', sid })],
    ['a restriction', () => ({ apps: ['echoices', 'cafeteria'], accounts: [account] })],
  ];
  it.each(targets)(
    'of %s, whichever comes first',
    async (_, targetOf) => {
      const works: string[] = [];
      const faults: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const browser = await signInAnew(house, 'maria@example.org');
        const { body } = await post(house, '/token', await echoices.codeForm(browser), credentials());
        const code = await echoices.codeForm(browser);
        const target = targetOf(await live(browser));
        const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
        const late = async (fields: Record<string, string>) => {
          await new Promise((resolve) => setTimeout(resolve, round % 8));
          return post(house, '/token', fields, credentials());
        };
        const [first, second] = await Promise.all([
          late(refresh),
          late(code),
          house.db
            .transaction()
            .execute((trx) => revoke(trx, house.house.audit, () => new Date(), target, 'signed-out', 'operator')),
        ]);
        for (const { status, body: answer } of [first, second, { status: 200, body }]) {
          if (status >= 500) faults.push(status);
          for (const kind of ['access_token', 'refresh_token']) {
            const token = answer[kind];
            if (typeof token !== 'string') continue;
            if ((await post(house, '/introspect', { token }, credentials())).body['active'] === true) works.push(kind);
            const used =
              kind === 'access_token'
                ? await fetch(`${house.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
                : await post(house, '/token', { grant_type: 'refresh_token', refresh_token: token }, credentials());
            if (used.status === 200) works.push(`${kind} used`);
          }
        }
      }
      expect({ works, faults }).toEqual({ works: [], faults: [] });
    },
    120_000,
  );
});
