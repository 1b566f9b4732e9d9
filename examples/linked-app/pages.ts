import { createHash } from 'node:crypto';
import type { SignedIn, Student } from './provider.js';
import type { Language, Words } from './words.js';

export interface Surroundings {
  appName: string;
  language: Language;
  words: Words;
  /** A hue of the colour circle, so that apps can be told apart: 0–359. */
  hue: number;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** The one style sheet; `--hue` tells the apps apart. */
function styles(hue: number): string {
  return `:root{--accent:hsl(${hue} 60% 28%);--tint:hsl(${hue} 40% 96%)}
*{box-sizing:border-box}
body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:var(--tint)}
header{background:var(--accent);color:#fff;padding:1rem 1.25rem}
header p{margin:0;font-size:1.25rem;font-weight:700}
main{max-width:34rem;margin:1.5rem auto;padding:1.25rem;background:#fff;border-radius:.5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
h2{font-size:1.125rem;margin:1.5rem 0 .5rem}
.button{display:inline-block;min-height:2.75rem;padding:.625rem 1.25rem;border:2px solid var(--accent);border-radius:.25rem;
background:var(--accent);color:#fff;font:inherit;font-weight:700;text-decoration:none;cursor:pointer;margin:.75rem .5rem 0 0}
.plain{background:#fff;color:var(--accent)}
.button:focus-visible,a:focus-visible{outline:.25rem solid #2491ff;outline-offset:.125rem}
.notice{border-inline-start:.5rem solid #c05600;padding:.75rem 1rem;background:#fef3e6;margin:0 0 1rem}
ul{list-style:none;margin:0;padding:0}
li{border-block-start:1px solid #dfe1e2;padding:.625rem 0}
li b{display:block}
.small{font-size:.9375rem;color:#454545}
form{display:inline}`;
}

/** The Content-Security-Policy of a page: its own style, forms to itself and to the sign-in service, nothing else. */
export function contentSecurityPolicy(hue: number, issuer: string): string {
  const hash = createHash('sha256').update(styles(hue)).digest('base64');
  const formAction = `'self' ${new URL(issuer).origin}`;
  return `default-src 'none'; style-src 'sha256-${hash}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`;
}

function layout({ appName, language, hue }: Surroundings, title: string, main: string): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title === appName ? appName : `${title} — ${appName}`)}</title>
<style>${styles(hue)}</style>
</head>
<body>
<header><p>${escapeHtml(appName)}</p></header>
<main>
${main}
</main>
</body>
</html>
`;
}

export function signedOutPage(around: Surroundings, notice: string | null): string {
  const { appName, words } = around;
  return layout(
    around,
    appName,
    `${notice === null ? '' : `<p class="notice" role="status">${escapeHtml(notice)}</p>`}
<h1>${escapeHtml(appName)}</h1>
<p>${escapeHtml(words.intro)}</p>
<a class="button" href="/login">${escapeHtml(words.signIn)}</a>`,
  );
}

function wording(value: unknown): string {
  if (typeof value === 'boolean') return value ? '✓' : '✗';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** A child: the name first, then every other fact the app receives. */
function child(student: Student, facts: readonly string[] | undefined): string {
  const { id, name, ...rest } = student;
  const shown = Object.entries(rest).filter(([fact, value]) => value !== null && (facts?.includes(fact) ?? true));
  const details = shown.map(([fact, value]) => `${escapeHtml(fact)}: ${escapeHtml(wording(value))}`).join(' · ');
  const title = escapeHtml(typeof name === 'string' ? name : id);
  return `<li data-student="${escapeHtml(id)}"><b>${title}</b>${details === '' ? '' : `<span class="small">${details}</span>`}</li>`;
}

export function signedInPage(around: Surroundings, signedIn: SignedIn, facts: readonly string[] | undefined): string {
  const { words, language } = around;
  const time = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
  const children = signedIn.students.map((student) => child(student, facts)).join('\n');
  const refreshForm = `<form method="post" action="/refresh"><button class="button plain">${words.refresh}</button></form>`;
  return layout(
    around,
    around.appName,
    `<h1 data-subject="${escapeHtml(signedIn.subject)}">${words.signedInAs} ${escapeHtml(signedIn.name)}</h1>
${signedIn.email === undefined ? '' : `<p>${escapeHtml(signedIn.email)}</p>`}
<h2>${words.children}</h2>
${children === '' ? `<p>${words.noChildren}</p>` : `<ul>\n${children}\n</ul>`}
<p class="small">${words.checked} ${escapeHtml(time.format(signedIn.checkedAt))}</p>
${signedIn.refreshToken === undefined ? '' : refreshForm}
<form method="post" action="/sign-out"><button class="button">${words.signOut}</button></form>`,
  );
}

/** Something went wrong: what, in plain words, and the next step. */
export function problemPage(around: Surroundings, message: string, next: 'tryAgain' | 'home'): string {
  const href = next === 'tryAgain' ? '/login' : '/';
  return layout(
    around,
    message,
    `<h1>${escapeHtml(message)}</h1>
<a class="button" href="${href}">${escapeHtml(around.words[next])}</a>
${next === 'tryAgain' ? `<a class="button plain" href="/">${escapeHtml(around.words.home)}</a>` : ''}`,
  );
}
