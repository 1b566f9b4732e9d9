import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'node-html-parser';
import { LoginPage } from '../../interactions/login/page.js';
import { ConsentPage } from '../../interactions/consent/page.js';
import { locales } from '../../src/locales/translate.js';
import { assets, forgetScript, liveScript, passwordScript, stylesheet, tabsScript } from '../../src/ui/assets.js';
import { renderPage } from '../../src/ui/render.js';
import { gallery, viewFor } from './gallery.js';

const hostile = `"><script>alert('x')</script>{0}<img src=x onerror=alert(1)>&amp;`;

describe.each(locales)('every page in %s', (locale) => {
  const pages = gallery(locale);

  it.each(pages)('$name: says its language, title and heading, and has one of each landmark', ({ html }) => {
    const page = parse(html);
    expect(html.startsWith('<!doctype html><html ')).toBe(true);
    expect(page.querySelector('html')?.getAttribute('lang')).toBe(locale);
    expect(page.querySelector('title')?.text).toContain(viewFor(locale).t('site.name'));
    for (const one of ['h1', 'main', 'header', 'footer', 'title']) expect(page.querySelectorAll(one)).toHaveLength(1);
    expect(page.querySelector('a.usa-skipnav')?.getAttribute('href')).toBe('#main');
  });

  it('offers no other language where the page could not be shown again', () => {
    const html = pages.find(({ name }) => name === 'keep code')?.html ?? '';
    expect(html).toContain('K7QM-4TXP-9HWD');
    expect(html).not.toContain('/language');
  });

  it.each(pages.filter(({ name }) => name !== 'keep code'))(
    '$name: offers the other language and comes back to the same page',
    ({ html }) => {
      const link = parse(html).querySelector('header nav a');
      const address = new URL(link?.getAttribute('href')?.replaceAll('&amp;', '&') ?? '', 'http://localhost');
      expect(address.pathname).toBe('/language');
      expect(address.searchParams.get('locale')).toBe(locale === 'en' ? 'es' : 'en');
      expect(address.searchParams.get('return')).toBe('/register?interaction=abc');
    },
  );

  it.each(pages)(
    '$name: loads nothing but our own files: stylesheet, icon, and the scripts it has a use for',
    ({ name, html }) => {
      const page = parse(html);
      expect(page.querySelectorAll('style, iframe, img, object')).toHaveLength(0);
      const scripts = page.querySelectorAll('script');
      expect(scripts.map((script) => script.getAttribute('src'))).toEqual([
        ...(/^done$|^signed out/.test(name) || page.querySelector('header form') !== null ? [tabsScript.path] : []),
        ...(page.querySelector('input[type=password]') === null ? [] : [passwordScript.path]),
        ...(page.querySelector('[data-live]') === null ? [] : [liveScript.path]),
      ]);
      for (const script of scripts) expect(script.text).toBe('');
      expect(html).not.toMatch(/\son[a-z]+=|\sstyle=/);
      const known = assets.map(({ path }) => path);
      for (const link of page.querySelectorAll('link')) expect(known).toContain(link.getAttribute('href'));
    },
  );

  it.each(pages)('$name: labels every field and says what belongs to it', ({ html }) => {
    const page = parse(html);
    const ids = page.querySelectorAll('[id]').map((element) => element.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const input of page.querySelectorAll('input:not([type=hidden])')) {
      expect(page.querySelectorAll(`label[for=${input.id}]`)).toHaveLength(1);
      const described = input.getAttribute('aria-describedby')?.split(' ') ?? [];
      expect(ids).toEqual(expect.arrayContaining(described));
    }
    const typed = page.querySelectorAll('input:not([type=hidden]):not([type=checkbox]):not([type=radio])');
    expect(typed.filter((input) => (input.getAttribute('autocomplete') ?? '') === '').map(({ id }) => id)).toEqual([]);
    for (const label of page.querySelectorAll('label')) expect(ids).toContain(label.getAttribute('for'));
  });

  it.each(pages.filter(({ name }) => name.endsWith(' errors')))(
    '$name: summarises errors on top, links each to its field, and repeats it there',
    ({ html }) => {
      const page = parse(html);
      expect(page.querySelector('title')?.text).toMatch(/^Error: /);
      const links = page.querySelectorAll('[role=alert] a');
      expect(links.length).toBeGreaterThan(0);
      expect(page.querySelectorAll('[aria-invalid=true]')).toHaveLength(links.length);
      for (const link of links) {
        const field = page.querySelector(link.getAttribute('href') ?? '');
        expect(field?.tagName).toBe('INPUT');
        const error = page.querySelector(`${link.getAttribute('href')}-error`);
        expect(error?.text).toContain(link.text);
        expect(field?.getAttribute('aria-describedby')?.split(' ')).toContain(error?.id);
      }
    },
  );

  it.each(gallery(locale, hostile))('$name: shows hostile text as text', ({ html }) => {
    const page = parse(html);
    expect(page.querySelectorAll('script:not([src]), img')).toHaveLength(0);
    expect(html.replaceAll(/<script (type="module"|defer) src="[\w/.-]+"( data-done(="")?)?>/g, '')).not.toContain(
      '<script',
    );
    expect(html).not.toContain('<img');
  });

  it.each(pages)('$name: has one next step, whatever else it offers', ({ html }) => {
    const buttons = parse(html).querySelectorAll('.usa-button:not(.usa-button--outline)');
    expect(buttons.length).toBeLessThanOrEqual(1);
  });

  it.each(pages)('$name: is within 30 KB with its stylesheet, compressed', ({ html }) => {
    expect(gzipSync(html).length + stylesheet.gzip.length).toBeLessThanOrEqual(30 * 1024);
  });
});

describe('a form with errors', () => {
  const typed = gallery('en', 'Maria typed this');
  const value = (name: string, field: string): string | undefined => {
    const exhibit = typed.find((page) => page.name === name);
    return parse(exhibit?.html ?? '')
      .querySelector(`input[name=${field}]`)
      ?.getAttribute('value');
  };

  it('keeps what was typed', () => {
    expect(value('login errors', 'identifier')).toBe('Maria typed this');
    expect(value('register errors', 'email')).toBe('Maria typed this');
    expect(value('register errors', 'phone')).toBe('Maria typed this');
    expect(value('password errors', 'signInName')).toBe('Maria typed this');
  });

  it('never gives a password back', () => {
    const passwords = typed.flatMap(({ html }) => parse(html).querySelectorAll('input[type=password]'));
    expect(passwords.length).toBeGreaterThan(0);
    expect(passwords.filter((input) => input.hasAttribute('value'))).toEqual([]);
  });
});

describe('links that come from elsewhere', () => {
  const login = { action: '/here', errors: {}, registerHref: '/register', recoverHref: '/recover', appName: null };

  it('never run a script', () => {
    const html = renderPage(ConsentPage, viewFor('en'), {
      action: '/here',
      cancelAction: '/cancel',
      appName: 'Tutor',
      vendorUri: 'javascript:alert(1)',
      facts: ['name'] as const,
    });
    expect(html).not.toContain('javascript:');
  });

  it('that answer a form forget what was sent, and nothing else leads them elsewhere', () => {
    const props = { ...login, values: { identifier: '' }, cancelAction: null };
    const paths = ['/here?interaction=a&b', '//evil.example/'].map((path) => {
      const html = renderPage(LoginPage, { ...viewFor('en'), path, answersForm: true }, props);
      return parse(html).querySelector(`script[src="${forgetScript.path}"]`)?.getAttribute('data-path');
    });
    expect(paths).toEqual(['/here?interaction=a&b', '/']);
  });

  it('leave a strange path out of the language link', () => {
    const view = { ...viewFor('en'), path: '//evil.example/' };
    const html = renderPage(LoginPage, view, { ...login, values: { identifier: '' }, cancelAction: null });
    expect(html).not.toContain('evil.example');
  });
});

describe('the stylesheet', () => {
  it('loads nothing itself', () => {
    expect(stylesheet.body.toString('utf8')).not.toMatch(/url\(|@import/);
  });

  it('changes its path with its content', () => {
    expect(stylesheet.path).toMatch(/^\/assets\/styles-[0-9a-f]{16}\.css$/);
    expect(stylesheet.etag).toBe(`"${stylesheet.path.slice(15, 31)}"`);
  });
});
