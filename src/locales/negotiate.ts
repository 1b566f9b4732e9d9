import { locales } from './translate.js';
import type { Locale } from './translate.js';

/** Where a request may say its language. */
export interface LocaleSources {
  /** OpenID Connect Core §3.1.2.1 `ui_locales`: language tags, separated by spaces, the preferred first. */
  readonly uiLocales?: string | undefined;
  /** What the person chose with the language link. */
  readonly cookie?: string | undefined;
  /** RFC 9110 §12.5.4 `Accept-Language`. */
  readonly acceptLanguage?: string | undefined;
}

/** More tags than any browser sends; the rest of a longer header is not read. */
const mostTags = 20;

/** Whether a value is a language that the pages have. */
export function isLocale(value: unknown): value is Locale {
  return locales.some((locale) => locale === value);
}

function known(tag: string): Locale | undefined {
  const [language] = tag.trim().toLowerCase().split(/[-_]/);
  return isLocale(language) ? language : undefined;
}

function firstKnown(tags: readonly string[]): Locale | undefined {
  for (const tag of tags) {
    const locale = known(tag);
    if (locale !== undefined) return locale;
  }
  return undefined;
}

function byQuality(header: string): string[] {
  return header
    .split(',', mostTags)
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';');
      const quality = parameters
        .map((parameter) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)?.[1])
        .find(Boolean);
      return { tag, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}

/**
 * The language of an answer: what the app asks for, else what the person chose, else what the browser prefers, else English.
 * A regional form counts as its language (`es-MX` is Spanish). Anything that cannot be read is passed over.
 */
export function negotiateLocale({ uiLocales, cookie, acceptLanguage }: LocaleSources): Locale {
  return (
    firstKnown((uiLocales ?? '').split(/\s+/, mostTags)) ??
    known(cookie ?? '') ??
    firstKnown(byQuality(acceptLanguage ?? '')) ??
    'en'
  );
}
