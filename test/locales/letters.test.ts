import { describe, expect, it } from '@jest/globals';
import { parse } from 'node-html-parser';
import {
  activationLetter,
  alreadyAccountLetter,
  inPersonLetter,
  invitationLetter,
  noMatchLetter,
  passwordChangedLetter,
  recoveryInPersonLetter,
  recoveryLetter,
  recoveryUseEarlierLetter,
  refusedRunLetter,
  rightsEndLetter,
  rightsEndStaffLetter,
} from '../../src/accounts/letters.js';
import { formatDay } from '../../src/locales/dates.js';
import { locales, translator } from '../../src/locales/translate.js';
import type { Locale } from '../../src/locales/translate.js';

const link = 'https://pa.example/activate?token=a&b=c';
const hostile = '<script>alert(1)</script>';

function letters(locale: Locale) {
  const t = translator(locale);
  const when = new Date('2026-11-22T14:30:00Z');
  return {
    activation: activationLetter(t, { link, code: '48207319', hours: 24, minutes: 10, appName: hostile }),
    already: alreadyAccountLetter(t, { signInLink: link, recoverLink: 'https://pa.example/recover' }),
    noMatch: noMatchLetter(t, { registerLink: link }),
    inPerson: inPersonLetter(t),
    invitation: invitationLetter(t, { portal: 'https://pa.example' }),
    recovery: recoveryLetter(t, { link, minutes: 30, needsCode: true }),
    earlier: recoveryUseEarlierLetter(t, { recoverLink: link }),
    recoveryInPerson: recoveryInPersonLetter(t),
    refusedRun: refusedRunLetter(t, { feed: 'elementary', findings: hostile }),
    rightsEnd: rightsEndLetter(t, { day: formatDay('2027-01-27', locale), students: 1, kept: false }),
    rightsEndKept: rightsEndLetter(t, { day: formatDay('2027-01-27', locale), students: 2, kept: true }),
    rightsEndStaff: rightsEndStaffLetter(t, { schools: [{ school: hostile, soon: 1, later: 20 }] }),
    changed: passwordChangedLetter(t, { when, locale, timeZone: 'America/Los_Angeles', recoverLink: link }),
  };
}

describe.each(locales)('a letter in %s', (locale) => {
  const all = Object.entries(letters(locale));

  it.each(all)('%s: says in HTML all that it says in plain text, and fits on a screen', (_, { text, html }) => {
    const shown = parse(html).text.replaceAll('&amp;', '&').replaceAll('&lt;', '<');
    for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
      expect(shown).toContain(line.trim().replace(/:$/, ''));
    }
    expect(text.length).toBeLessThan(1_500);
  });

  it.each(all)('%s: carries nothing that runs or loads, and nothing typed in its subject', (_, { subject, html }) => {
    expect(parse(html).querySelectorAll('script, img, link, iframe')).toHaveLength(0);
    expect(subject).not.toMatch(/[<>@\n]|\d/);
  });

  it('has the link, the code, and the warning never to read the code to anyone', () => {
    const { text, html } = letters(locale).activation;
    expect(text).toContain(link);
    expect(text).toContain('48207319');
    expect(text).toContain(translator(locale)('letter.neverShare'));
    expect(parse(html).querySelector('a')?.getAttribute('href')?.replaceAll('&amp;', '&')).toBe(link);
  });

  it('invites by an address to type, and by nothing to press', () => {
    const { text, html } = letters(locale).invitation;
    expect(text.match(/https?:\S+/g)).toEqual(['https://pa.example']);
    expect(parse(html).querySelectorAll('a')).toEqual([]);
    expect(text).toContain(translator(locale)('welcome.register'));
  });

  it('tells of rights that end by nothing to press, and by the way to keep them', () => {
    const { rightsEnd, rightsEndKept } = letters(locale);
    for (const { text, html } of [rightsEnd, rightsEndKept]) {
      expect(parse(html).querySelectorAll('a')).toEqual([]);
      expect(text).toContain(formatDay('2027-01-27', locale));
      expect(text).toContain(translator(locale)('letter.rightsEnd.keep'));
    }
  });

  it('asks for the recovery code only where one is needed', () => {
    const t = translator(locale);
    const needed = t('letter.recovery.needsCode');
    expect(letters(locale).recovery.text).toContain(needed);
    expect(recoveryLetter(t, { link, minutes: 30, needsCode: false }).text).not.toContain(needed);
  });

  it('never says why the school must be asked in person', () => {
    const { text } = letters(locale).inPerson;
    expect(text).not.toMatch(/restrict|order|court|custody|another|other person|orden|corte|custodia|otra persona/i);
  });
});
