import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { smtpMailer } from '../../src/mail/mailer.js';
import type { Mailer } from '../../src/mail/mailer.js';
import { startMailbox } from './mailbox.js';
import type { Mailbox } from './mailbox.js';

const letter = { to: 'ana@example.org', subject: 'Señal', text: 'Hola', html: '<p>Hola</p>' };

describe('the mailbox of the tests', () => {
  let mailbox: Mailbox;
  let mailer: Mailer;

  beforeAll(async () => {
    mailbox = await startMailbox();
    mailer = smtpMailer(mailbox.url, 'Parent Access <no-reply@example.org>');
  });
  beforeEach(() => {
    mailbox.behave('open');
    mailbox.clear();
  });
  afterAll(async () => {
    mailer.close();
    await mailbox.close();
  });

  it('keeps what arrives, as its reader would see it', async () => {
    await mailer.send(letter);
    const arrived = await mailbox.waitFor('Ana@example.org', ({ subject }) => subject === 'Señal');
    expect(arrived).toMatchObject({ to: 'ana@example.org', from: 'no-reply@example.org', text: 'Hola' });
    expect(arrived.html).toContain('<p>Hola</p>');
    expect(arrived.headers.get('auto-submitted')).toBe('auto-generated');
  });

  it('refuses when told to', async () => {
    mailbox.behave('refusing');
    await expect(mailer.send(letter)).rejects.toThrow('550');
    mailbox.behave('busy');
    await expect(mailer.send(letter)).rejects.toThrow('451');
    expect(mailbox.messages).toEqual([]);
  });

  it('is not there when it is down, and takes mail again afterwards', async () => {
    await mailbox.down();
    await expect(mailer.send(letter)).rejects.toThrow(/ECONNREFUSED|closed/i);
    await mailbox.up();
    await mailer.send(letter);
    expect(mailbox.to('ana@example.org')).toHaveLength(1);
  });

  it('says what arrived when the awaited letter did not', async () => {
    await mailer.send(letter);
    await expect(mailbox.waitFor('bob@example.org', undefined, 50)).rejects.toThrow('ana@example.org: Señal');
  });
});
