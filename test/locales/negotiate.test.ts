import { describe, expect, it } from '@jest/globals';
import { negotiateLocale } from '../../src/locales/negotiate.js';

describe('the language of an answer', () => {
  it('is English where nobody says anything', () => {
    expect(negotiateLocale({})).toBe('en');
  });

  it('is what the app asks for first, then the choice by hand, then the browser', () => {
    expect(negotiateLocale({ uiLocales: 'es-MX en', cookie: 'en', acceptLanguage: 'en' })).toBe('es');
    expect(negotiateLocale({ uiLocales: 'ko', cookie: 'es', acceptLanguage: 'en' })).toBe('es');
    expect(negotiateLocale({ acceptLanguage: 'es-US' })).toBe('es');
  });

  it('takes the first language of the browser that the pages have', () => {
    expect(negotiateLocale({ acceptLanguage: 'ko, es;q=0.6, en;q=0.4' })).toBe('es');
    expect(negotiateLocale({ acceptLanguage: 'en;q=0.4, es;q=0.6' })).toBe('es');
    expect(negotiateLocale({ acceptLanguage: 'zh-Hant, *;q=0.1' })).toBe('en');
  });

  it('does not speak a language that the browser refuses', () => {
    expect(negotiateLocale({ acceptLanguage: 'es;q=0, en;q=0.1' })).toBe('en');
  });

  it('passes over what it cannot read', () => {
    expect(negotiateLocale({ uiLocales: '  ', cookie: '<script>', acceptLanguage: ';;q=,,es' })).toBe('es');
    expect(negotiateLocale({ cookie: 'constructor', acceptLanguage: `${'x,'.repeat(10_000)}es` })).toBe('en');
  });
});
