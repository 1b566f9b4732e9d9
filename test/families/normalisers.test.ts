import { describe, expect, it } from '@jest/globals';
import { normaliseEmail } from '../../src/families/email.js';
import { nameKey } from '../../src/families/names.js';
import { normalisePhone } from '../../src/families/phone.js';
import { canonicalRelation, canonicalRestriction } from '../../src/families/relations.js';

describe('an e-mail address', () => {
  it.each([
    ['parent@example.org', 'parent@example.org'],
    ['  Parent@Example.ORG ', 'parent@example.org'],
    ['parent@example.org.', 'parent@example.org'],
    ['parent@example.org,', 'parent@example.org'],
    ['parent @ example.org', 'parent@example.org'],
    ['mailto:parent@example.org', 'parent@example.org'],
    ['Rosa López <rosa@example.org>', 'rosa@example.org'],
    ['rosa@example.org; rosa@example.org', 'rosa@example.org'],
    ['ｐａｒｅｎｔ@example．org', 'parent@example.org'],
    ['parent@example。org', 'parent@example.org'],
    ['par\u200Bent@example.org', 'parent@example.org'],
    ['\u212Aim@example.org', 'kim@example.org'],
    ["o'neill+school@example.org", "o'neill+school@example.org"],
    ['rosa@Bücher.example', 'rosa@xn--bcher-kva.example'],
    ['rosa@xn--bcher-kva.example', 'rosa@xn--bcher-kva.example'],
  ])('%j is the mailbox %s', (raw, email) => {
    expect(normaliseEmail(raw)).toEqual({ email });
  });

  it.each([
    ['', 'missing'],
    ['   ', 'missing'],
    ['none', 'placeholder'],
    ['N/A', 'placeholder'],
    ['none@none.com', 'placeholder'],
    ['NoEmail@noemail.com', 'placeholder'],
    ['a@example.org, b@example.org', 'several'],
    ['a@example.org/b@example.org', 'several'],
    ['a@example.org b@example.org', 'several'],
    ['parent', 'invalid'],
    ['parent@', 'invalid'],
    ['parent@example', 'invalid'],
    ['parent@example,org', 'invalid'],
    ['maria lopez@example.org', 'invalid'],
    ['a@b@example.org', 'invalid'],
    ['.parent@example.org', 'parent@example.org'],
    ['pa..rent@example.org', 'invalid'],
    ['pаrent@example.org', 'invalid'],
    ['parent@[127.0.0.1]', 'invalid'],
    ['ı@example.org', 'invalid'],
    [`${'a'.repeat(65)}@example.org`, 'invalid'],
    ['x'.repeat(5_000), 'invalid'],
    ['a@example.org\r\nBcc: b@example.org', 'several'],
  ])('%j is %s', (raw, problem) => {
    expect(normaliseEmail(raw)).toEqual(problem.includes('@') ? { email: problem } : { problem });
  });

  it('stays what it is when read again', () => {
    for (const raw of ['Rosa@Bücher.example', 'ｐａｒｅｎｔ@example．org', "o'neill@example.org"]) {
      const once = normaliseEmail(raw);
      expect('email' in once && normaliseEmail(once.email)).toEqual(once);
    }
  });
});

describe('a phone number', () => {
  it.each([
    ['(213) 241-5200', '+12132415200'],
    ['213.241.5200 x12', '+12132415200'],
    ['+1 213 241 5200', '+12132415200'],
    ['2132415200', '+12132415200'],
    ['1-213-241-5200', '+12132415200'],
    ['213 241 5200 ext. 4', '+12132415200'],
    ['213–241–5200', '+12132415200'],
    ['２１３-241-5200', '+12132415200'],
    ['(213) 555-0100', '+12135550100'],
    ['(555) 241-5200', '+15552415200'],
    ['+52 55 1234 5678', '+525512345678'],
    ['+52 1 55 1234 5678', '+525512345678'],
    ['011 52 55 1234 5678', '+525512345678'],
  ])('%j is %s', (raw, e164) => {
    expect(normalisePhone(raw)).toBe(e164);
  });

  it.each([
    '',
    '241-5200',
    'none',
    '0000000000',
    '555-555-5555',
    '213241520',
    '2132415200 / 2132415201',
    'call 2132415200',
    '1'.repeat(60),
  ])('%j cannot be dialled', (raw) => {
    expect(normalisePhone(raw)).toBeNull();
  });
});

describe('a name', () => {
  it.each([
    ['María-José', 'O’Neill', 'MARIA JOSE', 'oneill'],
    ['Zoë', 'De  la Cruz', 'zoe', 'de la cruz'],
    ['Nguyễn', 'Trần', 'Nguyen', 'Tran'],
    ['Ana', 'Ortiz-Vega', 'ana', 'Ortiz Vega'],
    ['José', 'Ibáñez', 'Jose\u0301', 'Iban\u0303ez'],
  ])('%s %s is equal to %s %s', (given, family, otherGiven, otherFamily) => {
    expect(nameKey(given, family)).toBe(nameKey(otherGiven, otherFamily));
  });

  it('keeps different people apart', () => {
    expect(nameKey('Ana', 'López')).not.toBe(nameKey('Anna', 'López'));
  });
});

describe('the words of a SIS', () => {
  it.each([
    ['Mother', 'parent'],
    ['PADRE', 'parent'],
    ['legal_guardian', 'guardian'],
    ['Foster Parent', 'foster_parent'],
    ['Step-Father', 'step_parent'],
    ['Grandmother', 'grandparent'],
    ['neighbour', 'other'],
    ['', 'other'],
  ])('%j is a %s', (raw, relation) => {
    expect(canonicalRelation(raw)).toBe(relation);
  });

  it('treats an unknown restriction as a protection order', () => {
    expect(['custody', 'Custody Order', 'TRO', ''].map(canonicalRestriction)).toEqual([
      'custody',
      'custody',
      'protection_order',
      'protection_order',
    ]);
  });
});
