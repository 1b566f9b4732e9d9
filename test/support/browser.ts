import { request as plainRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request as secureRequest } from 'node:https';
import { parse } from 'node-html-parser';
import type { HTMLElement } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';
import { allowsFormAction, fetchSite, originHeader, refererHeader } from './browser-rules.js';
import { fillForm } from './form.js';
import { keepSecret } from './run-log.js';
import type { FormFields } from './form.js';

/** A page as it came, after redirects. */
export interface Page {
  url: string;
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  html: HTMLElement;
  title: string;
  /** What a reader sees, one line per block. */
  text: string;
  $(selector: string): HTMLElement | null;
  $$(selector: string): HTMLElement[];
}

/** One request that the browser sent. */
export interface Visit {
  method: string;
  url: string;
  status: number;
  referer: string | undefined;
}

export interface BrowserOptions {
  userAgent?: string;
  /** BCP 47, most wanted first; `en-US` unless told otherwise. */
  locale?: string;
  /** The loopback address to come from (127.0.0.2 …): another source for throttles. */
  from?: string;
}

interface Navigation {
  method: 'GET' | 'HEAD' | 'POST';
  url: string;
  body?: string;
  /** The page that the person was on; null when the address was typed or opened from a mail. */
  initiator: Page | null;
  follow: boolean;
}

export interface Browser {
  jar: CookieJar;
  /** Every request in order, those of redirects included. */
  visited: Visit[];
  /** The page shown now. @throws before the first one */
  page(): Page;
  /** Opens an address as typed, or as a link in a mail. `follow: false` shows the redirect itself. */
  get(url: string, options?: { follow?: boolean }): Promise<Page>;
  /** What a mail scanner does first. */
  head(url: string): Promise<Page>;
  /** Follows a link of the page shown, by its words or by a CSS selector (`a[…]`, `#id`, `.class`). */
  click(link: string): Promise<Page>;
  /**
   * Fills and sends a form of the page shown.
   *
   * @param form CSS selector; the first form of `main` (else of the page) unless told otherwise
   * @param options.button the `name=value` or the words of the button
   */
  submit(fields?: FormFields, options?: { form?: string; button?: string; follow?: boolean }): Promise<Page>;
  /** The values of this browser's cookies for an address, by name. */
  cookies(url: string): Promise<Record<string, string>>;
}

const chrome =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36';
const redirects = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 20;

function pageOf(url: string, status: number, headers: IncomingHttpHeaders, body: string): Page {
  const html = parse(body, { comment: false, blockTextElements: { script: true, style: true, pre: true } });
  const visible = html.querySelector('main') ?? html.querySelector('body') ?? html;
  return {
    url,
    status,
    headers,
    body,
    html,
    title: html.querySelector('title')?.text.trim() ?? '',
    text: visible.structuredText,
    $: (selector) => html.querySelector(selector),
    $$: (selector) => html.querySelectorAll(selector),
  };
}

function send(
  url: string,
  method: string,
  headers: OutgoingHttpHeaders,
  body: string | undefined,
  from: string | undefined,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const request = url.startsWith('https:') ? secureRequest : plainRequest;
  const source = from === undefined ? {} : { localAddress: from, family: 4 };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false, timeout: 30_000, ...source }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${url} did not answer within 30 s`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * A small browser without script, over HTTP: cookies (which know no ports), redirects across origins, forms, and the headers
 * by which a server tells its own pages from others' (Origin, Referer, Fetch Metadata), as Chrome sends them. It honours a
 * page's `form-action`, on redirects too.
 */
export function openBrowser(options: BrowserOptions = {}): Browser {
  const jar = new CookieJar();
  const visited: Visit[] = [];
  const locale = options.locale ?? 'en-US';
  let current: Page | null = null;

  function page(): Page {
    if (current === null) throw new Error('This browser shows no page yet.');
    return current;
  }

  async function navigate({ initiator, follow, ...first }: Navigation): Promise<Page> {
    let { method, url, body } = first;
    const chain: string[] = [];
    const isForm = method === 'POST';
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      chain.push(url);
      if (isForm && initiator !== null && !allowsFormAction(initiator, url)) {
        throw new Error(
          `The page's form-action keeps the form from going to ${new URL(url).origin} (${chain.join(' → ')})`,
        );
      }
      const site = fetchSite(initiator?.url ?? null, chain);
      const sameSiteContext = site !== 'cross-site' ? 'strict' : method === 'POST' ? 'none' : 'lax';
      const cookie = await jar.getCookieString(url, { sameSiteContext });
      const referer = refererHeader(initiator, url);
      const origin = method === 'POST' ? originHeader(initiator, chain) : undefined;
      const answer = await send(
        url,
        method,
        {
          'user-agent': options.userAgent ?? chrome,
          accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
          'accept-language': `${locale},${locale.split('-')[0] ?? locale};q=0.9`,
          'upgrade-insecure-requests': '1',
          'sec-fetch-dest': 'document',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-site': site,
          'sec-fetch-user': '?1',
          ...(cookie === '' ? {} : { cookie }),
          ...(referer === undefined ? {} : { referer }),
          ...(origin === undefined ? {} : { origin }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }),
        },
        body,
        options.from,
      );
      visited.push({ method, url, status: answer.status, referer });
      for (const [, value = ''] of url.matchAll(/[?&](?:code|token|id_token_hint|access_token)=([\w-]+)/g))
        keepSecret(value);
      for (const line of answer.headers['set-cookie'] ?? []) {
        // An interaction's own cookie holds what its address shows: no secret.
        const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
        if (!/interaction|resume|locale/.test(name)) keepSecret(value);
        // A cookie that a browser would not take is not an error there either.
        await jar.setCookie(line, url, { sameSiteContext, ignoreError: true });
      }
      const { location } = answer.headers;
      if (!follow || location === undefined || !redirects.has(answer.status)) {
        current = pageOf(url, answer.status, answer.headers, answer.body);
        return current;
      }
      const kept = answer.status === 307 || answer.status === 308;
      if (!kept && method === 'POST') {
        method = 'GET';
        body = undefined;
      }
      url = new URL(location, url).href;
    }
    throw new Error(`More than ${mostRedirects} redirects: ${chain.slice(-4).join(' → ')}`);
  }

  return {
    jar,
    visited,
    page,
    get: (url, { follow = true } = {}) => navigate({ method: 'GET', url, initiator: null, follow }),
    head: (url) => navigate({ method: 'HEAD', url, initiator: null, follow: true }),
    async click(link) {
      const shown = page();
      const found = /^(a\[|[#.])/.test(link)
        ? shown.$(link)
        : shown.$$('a[href]').find((anchor) => anchor.text.trim().replaceAll(/\s+/g, ' ') === link);
      const href = found?.getAttribute('href');
      if (href === undefined) throw new Error(`The page ${shown.url} (“${shown.title}”) has no link ${link}.`);
      return navigate({ method: 'GET', url: new URL(href, shown.url).href, initiator: shown, follow: true });
    },
    async submit(fields = {}, { form: selector, button, follow = true } = {}) {
      const shown = page();
      const form = selector === undefined ? (shown.$('main form') ?? shown.$('form')) : shown.$(selector);
      if (form === null) {
        throw new Error(
          `The page ${shown.url} (${shown.status}, “${shown.title}”) has no form ${selector ?? ''}: ${shown.text}`,
        );
      }
      const filled = fillForm(form, fields, button);
      const target = new URL(filled.action === '' ? shown.url : filled.action, shown.url);
      const encoded = new URLSearchParams(filled.pairs).toString();
      if (filled.method === 'GET') {
        target.search = encoded;
        return navigate({ method: 'GET', url: target.href, initiator: shown, follow });
      }
      return navigate({ method: 'POST', url: target.href, body: encoded, initiator: shown, follow });
    },
    async cookies(url) {
      const found = await jar.getCookies(url, { sameSiteContext: 'strict' });
      return Object.fromEntries(found.map(({ key, value }) => [key, value]));
    },
  };
}
