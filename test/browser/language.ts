import type { Page } from 'playwright-core';
import en from '../../src/locales/en.json' with { type: 'json' };
import es from '../../src/locales/es.json' with { type: 'json' };

const spanish = new Map(Object.entries(es));

/** English texts that a Spanish page must not say: whole lines, and sentences anywhere. Plurals are left to the texts' own tests. */
const foreign = Object.entries(en)
  .filter(([key, text]) => spanish.get(key) !== text && !text.includes('plural,'))
  .map(([key, text]) => {
    const pattern = text
      .split(/\{\w+\}/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.+');
    const isSentence = text.replaceAll(/\{\w+\}/g, '').split(/\s+/).length >= 4;
    return { key, pattern: new RegExp(isSentence ? pattern : `^${pattern}$`) };
  })
  // "Use {email}" could also begin a Spanish line.
  .filter(({ pattern }) => ![...spanish.values()].some((text) => pattern.test(text)));

/** The keys of the texts that a page shows, names or describes in English although they have a Spanish form. */
export async function englishTextsOn(page: Page): Promise<string[]> {
  const labels = await page.evaluate<string[]>(
    "[...document.querySelectorAll('[aria-label]')].map((named) => named.ariaLabel)",
  );
  const lines = [await page.title(), ...labels, ...(await page.innerText('body')).split('\n')].map((line) =>
    line.trim(),
  );
  return foreign.filter(({ pattern }) => lines.some((line) => pattern.test(line))).map(({ key }) => key);
}
