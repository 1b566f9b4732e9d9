import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { secretHash } from '../../src/database/secrets.js';
import { artifacts, pastRequest } from '../../src/sessions/artifacts.js';
import { cleanSessions } from '../../src/sessions/cleaning.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';

const hour = 3_600;

describe.each(databases)('artifacts on %s', (kind) => {
  let db: Database;
  let now: Date;
  const clock = (): Date => now;
  const advance = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(async () => {
    now = new Date('2026-11-20T18:00:00Z');
    await db.deleteFrom('artifacts').execute();
  });

  const store = (model: string) => artifacts(db, clock, model);
  const dump = async (): Promise<string> => JSON.stringify(await db.selectFrom('artifacts').selectAll().execute());
  const grant = (id: string): Promise<void> =>
    store('Grant').save(id, { jti: id, accountId: undefined, clientId: 'a' }, hour);

  const bearers = [
    'AccessToken',
    'AuthorizationCode',
    'RefreshToken',
    'ClientCredentials',
    'DeviceCode',
    'PushedAuthorizationRequest',
  ];
  it.each(bearers)('keep of a %s only a digest, and give back what was saved', async (model) => {
    await grant('g');
    const payload = { jti: 'the-bearer-value', kind: model, grantId: 'g', clientId: 'a', scope: 'openid' };
    await store(model).save('the-bearer-value', payload, hour);
    expect(await dump()).not.toContain('the-bearer-value');
    expect(await store(model).find('the-bearer-value')).toEqual(payload);
    expect(await store(model).find(secretHash('the-bearer-value'))).toBeUndefined();
  });

  it.each(['Grant', 'Interaction', 'ReplayDetection'])('keep the id of a %s, which opens nothing', async (model) => {
    await store(model).save('an-id', { jti: 'an-id', kind: model }, hour);
    expect(await store(model).find('an-id')).toEqual({ jti: 'an-id', kind: model });
  });

  it('strip the session’s cookie from an interaction', async () => {
    const session = { uid: 'u', cookie: 'the-cookie-of-the-session', acr: '1' };
    await store('Interaction').save('i', { jti: 'i', kind: 'Interaction', session }, hour);
    expect(await dump()).not.toContain('the-cookie-of-the-session');
    expect(await store('Interaction').find('i')).toEqual({
      jti: 'i',
      kind: 'Interaction',
      session: { uid: 'u', acr: '1' },
    });
  });

  it('of one kind are unknown to another', async () => {
    await grant('g');
    await store('RefreshToken').save('x', { jti: 'x', grantId: 'g' }, hour);
    expect(await store('AccessToken').find('x')).toBeUndefined();
    expect(await store('AccessToken').consume('x')).toBe(false);
  });

  it('are used up once, of thirty at the same instant', async () => {
    await grant('g');
    const codes = store('AuthorizationCode');
    await codes.save('c', { jti: 'c', grantId: 'g' }, 60);
    const wins = await Promise.all(Array.from({ length: 30 }, () => codes.consume('c')));
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(await codes.find('c')).toMatchObject({ consumed: Math.floor(now.getTime() / 1000) });
    expect(await codes.consume('never-was')).toBe(false);
  });

  it('a refresh token used up is unknown for 5 s, a retry, and used up after', async () => {
    await grant('g');
    const tokens = store('RefreshToken');
    await tokens.save('r', { jti: 'r', grantId: 'g' }, hour);
    expect(await tokens.consume('r')).toBe(true);
    expect(await tokens.find('r')).toBeUndefined();
    advance(5);
    expect(await tokens.find('r')).toBeUndefined();
    advance(1);
    expect(await tokens.find('r')).toMatchObject({ consumed: expect.any(Number) });
  });

  it('are not written for a grant that was ended', async () => {
    await grant('g');
    await store('Grant').destroy('g');
    for (const model of ['AccessToken', 'AuthorizationCode', 'RefreshToken']) {
      await store(model).save('late', { jti: 'late', grantId: 'g' }, hour);
      expect(await store(model).find('late')).toBeUndefined();
    }
  });

  it('end with their grant, each kind by itself, others’ not', async () => {
    await grant('g');
    await grant('h');
    for (const model of ['AccessToken', 'RefreshToken']) {
      await store(model).save(`${model}-g`, { jti: 'x', grantId: 'g' }, hour);
      await store(model).save(`${model}-h`, { jti: 'x', grantId: 'h' }, hour);
    }
    await store('AccessToken').endGrant('g');
    expect(await store('AccessToken').find('AccessToken-g')).toBeUndefined();
    expect(await store('AccessToken').find('AccessToken-h')).toBeDefined();
    expect(await store('RefreshToken').find('RefreshToken-g')).toBeDefined();
  });

  it('are found by their user code', async () => {
    await store('DeviceCode').save('d', { jti: 'd', userCode: 'BCDF-GHJK', clientId: 'a' }, hour);
    expect(await store('DeviceCode').findByUserCode('BCDF-GHJK')).toMatchObject({ clientId: 'a' });
    expect(await store('DeviceCode').findByUserCode('XXXX-XXXX')).toBeUndefined();
  });

  it('of an interaction that is over only the way back is left', async () => {
    const params = { client_id: 'a', scope: 'openid' };
    await store('Interaction').save('i', { jti: 'i', iat: 7, params }, hour);
    expect(await pastRequest(db, 'i')).toEqual({ params, answered: false, beganAt: 7 });
    expect(await store('Interaction').consume('i')).toBe(true);
    expect(await store('Interaction').find('i')).toBeUndefined();
    expect(await pastRequest(db, 'i')).toEqual({ params, answered: true, beganAt: 7 });
    expect(await pastRequest(db, 'never-was')).toBeNull();
  });

  it('are cleaned away when they have expired, interactions a day later', async () => {
    await grant('g');
    await store('Interaction').save('i', { jti: 'i', params: {} }, hour);
    await store('RefreshToken').save('r', { jti: 'r', grantId: 'g' }, 2 * hour);
    await store('ReplayDetection').save('forever', { jti: 'forever' }, undefined);
    advance(hour + 60);
    expect(await cleanSessions(db, clock)).toBe(1);
    const left = async (): Promise<string[]> =>
      (await sql<{ kind: string }>`select kind from artifacts order by kind`.execute(db)).rows.map((row) => row.kind);
    expect(await left()).toEqual(['Interaction', 'RefreshToken', 'ReplayDetection']);
    advance(24 * hour);
    expect(await cleanSessions(db, clock)).toBe(2);
    expect(await left()).toEqual(['ReplayDetection']);
  });
});
