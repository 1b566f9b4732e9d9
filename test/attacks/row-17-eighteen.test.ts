import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import * as client from 'openid-client';
import { daysAfter } from '../../src/families/eligible-students.js';
import { localDate } from '../../src/families/entitlement.js';
import { openJobs } from '../../src/jobs/jobs.js';
import { sessionJobs } from '../../src/session-jobs.js';
import { makeLogger } from '../../src/telemetry/logger.js';
import { askToRegister } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { row, timeZone } from '../sis/extract.js';
import type { Row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { RelyingParty } from '../support/relying-party.js';

type Tokens = Awaited<ReturnType<RelyingParty['tokens']>>;
const [ana, beto, tomas] = elementary;
/** The birth date of who turns 18 in so many days; none of these tests knows a 29 February. */
function bornFor(days: number): string {
  const day = daysAfter(localDate(new Date(), timeZone), days);
  return `${Number(day.slice(0, 4)) - 18}${day.slice(4).replace('-02-29', '-02-28')}`;
}

describe('row 17: a student who turns 18', () => {
  let house: TestHouse;
  let mother: Browser;
  let echoices: RelyingParty;
  let bulletin: RelyingParty;
  beforeAll(async () => {
    ({ house, mother, echoices, bulletin } = await familyHouse('echoices', 'bulletin'));
  });
  afterAll(() => house.close());
  const nana = row('Leo', 'Nana', { relation: 'grandmother' });
  const load = (...rows: Row[]) => house.load('elementary', [...rows, nana]);
  beforeEach(() => load({ ...ana, birth_date: bornFor(1) }, { ...beto }, { ...tomas }));

  async function userinfo(tokens: Tokens): Promise<string[] | number> {
    const answer = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    if (answer.status !== 200) return answer.status;
    const { students = [] } = (await answer.json()) as { students?: Array<{ name: string }> };
    return students.map(({ name }) => name).toSorted();
  }
  const refresh = (tokens: Tokens): Promise<Tokens> =>
    client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
  const portal = async (): Promise<string> => (await mother.get(`${house.issuer}/`)).text;
  async function events(): Promise<unknown[]> {
    const found = house.db.selectFrom('audit_events').select('details').where('kind', '=', 'rights.passed');
    return (await found.execute()).map(({ details }) => details);
  }
  async function isNobodyToldOrSignedOut(): Promise<void> {
    const ended = await sql`select 1 from sessions where revoked_at is not null`.execute(house.db);
    expect([ended.rows, await house.db.selectFrom('deliveries').select('id').execute()]).toEqual([[], []]);
  }

  it('is gone from userinfo and the portal as the day begins; a job ends the tokens, and nobody is signed out or told', async () => {
    const tokens = await echoices.tokens(mother);
    const plain = await bulletin.tokens(mother);
    expect(await userinfo(tokens)).toEqual(['Ana López', 'Beto López']);
    expect(await portal()).toContain('You see this student until');

    // The day after, for the student.
    await sql`update students set birth_date = birth_date - 1 where sis_id = 'Ana'`.execute(house.db);
    expect(await userinfo(tokens)).toEqual(['Beto López']);
    expect(await portal()).not.toContain('Ana');

    const { workers, schedules } = sessionJobs({ ...house.desk, timeZone });
    expect(schedules).toContainEqual(expect.objectContaining({ queue: 'passed-rights', cron: '1 0 * * *', timeZone }));
    const day = (): Promise<void> => workers['passed-rights']?.({}) ?? Promise.reject(new Error('no worker'));
    // Several instances at once, and one more later.
    await Promise.all([day(), day(), day()]);
    await day();
    expect(await events()).toEqual([{ today: localDate(new Date(), timeZone), students: 1, tokens: 1 }]);
    expect([await userinfo(tokens), await userinfo(plain)]).toEqual([401, []]);
    expect(await userinfo(await refresh(tokens))).toEqual(['Beto López']);
    expect(await portal()).toContain('Beto');
    await isNobodyToldOrSignedOut();
  });

  it('is gone with the tokens at once where an import corrects the birth date', async () => {
    const tokens = await echoices.tokens(mother);
    await load({ ...ana, birth_date: bornFor(-400) }, { ...beto }, { ...tomas });
    expect(await userinfo(tokens)).toBe(401);
    expect(await userinfo(await refresh(tokens))).toEqual(['Beto López']);
    await isNobodyToldOrSignedOut();
  });

  it('leaves a parent of nobody else with a next step, and a stranger at registration with the answer of who has no right', async () => {
    const adult = { birth_date: bornFor(0) };
    // Three at once who are adults would wait for people.
    await load({ ...ana, ...adult }, { ...beto, ...adult }, { ...tomas });
    await load({ ...ana, ...adult }, { ...beto, ...adult }, { ...tomas, ...adult });
    expect(await portal()).toContain('Is your child 18 or older?');
    expect(await userinfo(await echoices.tokens(mother))).toEqual([]);
    const [pages, letters]: [string[], string[]] = [[], []];
    for (const [email, phone] of [
      ['pedro@example.org', '(213) 555-0122'],
      ['nana@example.org', '(213) 555-0100'],
    ] as const) {
      pages.push((await askToRegister(openBrowser(), house, email, phone)).text);
      letters.push((await house.mailbox.waitFor(email)).text);
    }
    expect([new Set(pages).size, new Set(letters).size]).toEqual([1, 1]);
    expect(letters[0]).toContain('what was typed with it does not fit');
    // Three at once who are minors again would wait for people.
    await load({ ...ana, ...adult }, { ...beto }, { ...tomas });
  });

  it('is told of by mail, by the house itself, and the log names nobody', async () => {
    house.mailbox.clear();
    const { rows } = await sql<{ cron: string; timezone: string }>`
      select cron, timezone from jobs.schedule where name = 'rights-end'`.execute(house.db);
    expect(rows).toEqual([{ cron: '0 9 * * *', timezone: timeZone }]);
    const jobs = await openJobs(house.pool, 'postgres', makeLogger({ logLevel: 'error' }, { write: () => {} }));
    await jobs.send(house.db, 'rights-end', {});
    const letter = await house.mailbox.waitFor('maria@example.org');
    await jobs.stop();
    expect(letter.subject).toBe('Your rights for a student end soon');
    expect(letter.text).toContain('turns 18 on');
    expect(`${letter.text}${letter.html}`).not.toMatch(/Ana|López|Lincoln|Pedro/);
    expect(house.log.join('\n')).not.toMatch(/maria@|Ana\b/);
  });
});
