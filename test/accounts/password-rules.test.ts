import { describe, expect, it } from '@jest/globals';
import { passwordProblem } from '../../src/accounts/password-rules.js';
import type { PasswordProblem } from '../../src/accounts/password-rules.js';

const own = ['maria.lopez@example.org', 'marialopez'];

/** NIST SP 800-63B-4 §3.1.1.2, and the design's values: 15 characters alone, a blocklist, no composition rules. */
const table: Array<[what: string, password: string, problem: PasswordProblem | null]> = [
  ['nothing', '', 'missing'],
  ['14 characters', 'a long way hom', 'short'],
  ['15 characters', 'a long way home', null],
  ['14 characters of four bytes each', '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤', 'short'],
  ['15 characters of four bytes each', '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆', null],
  ['small letters alone: nothing is composed', 'quite ordinary words', null],
  ['spaces at both ends', ' a long way home ', null],
  ['64 characters', 'the quick brown fox jumps over the lazy dog and runs home again.', null],
  ['1,024 characters', 'a long way to school '.repeat(60).slice(0, 1_024), null],
  ['1,025 characters', 'a long way to school '.repeat(60).slice(0, 1_025), 'long'],
  ['letters of another script', 'дорога в школу долгая', null],
  ['15 characters only before they are normalised', 'e\u0301'.repeat(14), 'short'],
  ['one character again and again', 'zzzzzzzzzzzzzzzzzz', 'common'],
  ['spaces', ' '.repeat(20), 'common'],
  ['three characters again and again', 'xkqxkqxkqxkqxkqxkq', 'common'],
  ['a run upwards', 'abcdefghijklmnopqrst', 'common'],
  ['a run downwards', 'zyxwvutsrqponmlkjih', 'common'],
  ['a common password twice', 'passwordpassword', 'common'],
  ['a common password in capitals, with digits and signs', 'PASSWORD-12345678!', 'common'],
  ['a common password with signs between', 'p.a.s.s.w.o.r.d.', 'common'],
  ['a row of the keyboard', 'qwertyuiopasdfghjkl', 'common'],
  ['the rows of the keyboard backwards, and a sign', 'mnbvcxzlkjhgfdsa!', 'common'],
  ['the columns of the keyboard', '1qaz2wsx3edc4rfv', 'common'],
  ['all digits in a row', '123456789012345', 'common'],
  ['the product’s name with a year', 'ParentAccess2026!', 'common'],
  ['the district’s name again and again', 'lausdlausdlausd', 'common'],
  ['the names of district and product in a row, with a year', 'LAUSD Parent Access 2026', 'common'],
  ['the name of an app', 'ISIS Family Module', 'common'],
  ['the district’s words in Spanish', 'Contraseña-Escuela1', 'common'],
  ['the district’s words in a sentence', 'los angeles has a school', null],
  ['the own address', 'maria.lopez@example.org', 'personal'],
  ['the own address in capitals', 'MARIA.LOPEZ@EXAMPLE.ORG', 'personal'],
  ['the own mailbox with a year', 'maria.lopez2026', 'personal'],
  ['the own sign-in name twice', 'marialopezmarialopez', 'personal'],
  ['a sentence that has the own name in it', 'maria lopez goes home', null],
];

describe('a password', () => {
  it.each(table)('of %s', (_, password, problem) => {
    expect(passwordProblem(password, own)).toBe(problem);
  });

  it('is judged in full width as in plain letters', () => {
    expect(passwordProblem('ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ', own)).toBe('common');
  });

  it('of somebody who signs in with a short name is not personal for a few letters', () => {
    expect(passwordProblem('eva walks to the lake', ['eva@example.org'])).toBeNull();
  });
});
