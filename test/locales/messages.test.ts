import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { IntlMessageFormat } from 'intl-messageformat';
import en from '../../src/locales/en.json' with { type: 'json' };
import es from '../../src/locales/es.json' with { type: 'json' };
import { translator } from '../../src/locales/translate.js';

const root = new URL('../../', import.meta.url);

/** What reads the same in both languages. */
const sameInBoth = new Set(['site.title', 'site.errorTitle', 'form.errorPrefix', 'letter.sender']);

function sources(folder: string): string {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(new URL(`${folder}${name}`, root), 'utf8'))
    .join('\n');
}

/** The keys that the code names, as patterns: `problem.${kind}.title` stands for every kind. */
function namedKeys(): RegExp[] {
  // The declaration of the key types is no use of every key.
  const code = `${sources('src/')}\n${sources('interactions/')}`.replaceAll('`error.${string}`', '');
  const literals = [...code.matchAll(/(['"`])([a-zA-Z]+\.(?:[\w.-]|\$\{[^}]*\})+)\1/g)].map(([, , key = '']) => key);
  return [...new Set(literals)].map(
    (key) => new RegExp(`^${key.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[^.]+(?:\\.[^.]+)?')}$`),
  );
}

/** The placeholders that a text asks for when the number is this. */
function placeholders(text: string, language: string, number: number): string[] {
  const asked = new Set<string>();
  const values = new Proxy<Record<string, number>>(
    {},
    {
      has: (_, name) => asked.add(String(name)).size > 0,
      get: () => number,
    },
  );
  new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).format(values);
  return [...asked].toSorted();
}

describe('the texts', () => {
  it('has every key in both languages, and none more', () => {
    expect(Object.keys(es).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it('has no key that nothing uses', () => {
    const named = namedKeys();
    expect(Object.keys(en).filter((key) => !named.some((pattern) => pattern.test(key)))).toEqual([]);
  });

  it('has no text that is empty or that was left in English', () => {
    const spanish = new Map(Object.entries(es));
    const left = Object.entries(en).filter(([key, text]) => {
      const translation = spanish.get(key) ?? '';
      return translation.trim() === '' || text.trim() === '' || (translation === text && !sameInBoth.has(key));
    });
    expect(left).toEqual([]);
  });

  it.each([1, 5])('asks for the same placeholders in both languages (for the number %d)', (number) => {
    const spanish = new Map(Object.entries(es));
    const different = Object.entries(en).filter(
      ([key, text]) =>
        placeholders(text, 'en', number).join() !== placeholders(spanish.get(key) ?? '', 'es', number).join(),
    );
    expect(different).toEqual([]);
  });

  it('speaks to parents as "usted"', () => {
    const familiar = Object.entries(es).filter(([, text]) =>
      /\b(tú|tu|tus|contigo|tienes|puedes|quieres)\b/i.test(text),
    );
    expect(familiar).toEqual([]);
  });
});

describe('a translator', () => {
  it('fills placeholders and counts', () => {
    expect(translator('en')('login.titleForApp', { app: 'eChoices' })).toBe('Sign in to go on to eChoices');
    expect(translator('en')('form.problems', { count: 1 })).toBe('There is a problem');
    expect(translator('es')('form.problems', { count: 3 })).toBe('Hay 3 problemas');
  });

  it('takes a filled-in value as it is, however much it looks like a placeholder or like markup', () => {
    expect(translator('en')('login.back', { app: '{x} <b>' })).toBe('Back to {x} <b>');
  });

  it('refuses to leave a placeholder empty', () => {
    expect(() => translator('en')('login.back')).toThrow(/app/);
  });
});
