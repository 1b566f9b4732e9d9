import { ActivateLinkPage, ChoosePasswordPage, KeepCodePage } from '../../interactions/activate/page.js';
import { AddressDonePage, AddressLinkPage, AddressPage, AddressSentPage } from '../../interactions/address/page.js';
import { ConsentPage } from '../../interactions/consent/page.js';
import { DonePage } from '../../interactions/done/page.js';
import { LinkProblemPage } from '../../interactions/link-problem.js';
import { LoginPage } from '../../interactions/login/page.js';
import { NewsPage } from '../../interactions/news/page.js';
import { ProblemPage } from '../../interactions/problem/page.js';
import type { ProblemKind } from '../../interactions/problem/page.js';
import { NewPasswordPage, RecoverLinkPage, RecoverPage, RecoverWaitingPage } from '../../interactions/recover/page.js';
import { RegisterPage, WaitingPage } from '../../interactions/register/page.js';
import { SignOutPage, SignedOutPage } from '../../interactions/sign-out/page.js';
import { TermsPage } from '../../interactions/terms/page.js';
import { translator } from '../../src/locales/translate.js';
import type { Locale } from '../../src/locales/translate.js';
import { DevicesPage } from '../../src/portal/devices/page.js';
import { HelpPage } from '../../src/portal/help/page.js';
import { HomePage } from '../../src/portal/home/page.js';
import { ChangePasswordPage, PasswordChangedPage } from '../../src/portal/password/page.js';
import { PermissionsPage } from '../../src/portal/permissions/page.js';
import { WelcomePage } from '../../src/portal/welcome/page.js';
import { renderPage } from '../../src/ui/render.js';
import type { View } from '../../src/ui/view.js';

/** A page as a parent may meet it. */
export interface Exhibit {
  readonly name: string;
  readonly html: string;
}

const problems: readonly ProblemKind[] = [
  'unknown-app',
  'bad-redirect',
  'app-mistake',
  'expired',
  'no-cookies',
  'not-found',
  'forbidden-origin',
  'busy',
  'too-many',
  'bad-request',
  'server',
];

const on = new Date('2026-11-22T14:30:00Z');
const later = new Date('2026-11-23T10:00:00Z');

/** The view of a reader of one language. */
export function viewFor(locale: Locale): View {
  return {
    locale,
    t: translator(locale),
    path: '/register?interaction=abc',
    timeZone: 'America/Los_Angeles',
    districtName: 'Los Angeles Unified School District',
  };
}

/**
 * Every page in one language, also with its errors and with nothing to show.
 *
 * @param said stands wherever a name or something typed is shown
 */
export function gallery(locale: Locale, said = 'eChoices'): Exhibit[] {
  const view = viewFor(locale);
  const links = { registerHref: '/register', recoverHref: '/recover', signInHref: '/sign-in', againHref: '/register' };
  const action = '/here';
  const login = { action, values: { identifier: said }, errors: {}, appName: said, cancelAction: '/cancel', ...links };
  const choose = { action, request: said, values: { signInName: said }, minimumLength: 15 };
  const change = { action, minimumLength: 15, signOutAction: '/sign-out' };
  const feeds = [
    { label: said, loadedAt: on, nextAt: later },
    { label: 'Secondary schools', loadedAt: null, nextAt: null },
  ];
  const permissions = {
    owner: said,
    action,
    signOutAction: '/sign-out',
    permissions: [{ clientId: 'homework', appName: said, facts: ['name', 'students.grade'] as const, givenAt: on }],
    stopped: said,
  };
  const answers = (['waiting', 'confirmed', 'refused', 'given-up', 'unreachable'] as const).map((state) => ({
    name: said,
    state,
  }));
  const place = { uid: 'u1', browser: said, device: 'own', signedInAt: on, lastUsedAt: later } as const;
  const devices = { owner: said, action, signOutAction: '/sign-out', here: 'u1', now: later };
  const home = { name: said, tiles: [], children: [], contactFacts: [], signOutAction: '/sign-out' };
  const child = { name: 'Ana Lopez', schoolName: 'Lincoln Elementary', relation: 'parent', on };
  const pages: ReadonlyArray<readonly [string, string]> = [
    ['login', renderPage(LoginPage, view, login)],
    ['login own', renderPage(LoginPage, view, { ...login, appName: null, cancelAction: null })],
    [
      'login errors',
      renderPage(LoginPage, view, {
        ...login,
        errors: { identifier: 'error.identifierMissing', password: 'error.passwordMissing' } as const,
      }),
    ],
    ['login throttled', renderPage(LoginPage, view, { ...login, waitMinutes: 7 })],
    ['register', renderPage(RegisterPage, view, { action, values: { email: '', phone: '' }, errors: {}, ...links })],
    [
      'register errors',
      renderPage(RegisterPage, view, {
        action,
        values: { email: said, phone: said },
        errors: { email: 'error.emailInvalid', phone: 'error.phoneInvalid' } as const,
        ...links,
      }),
    ],
    ['waiting', renderPage(WaitingPage, view, { action, errors: {}, feeds, ...links })],
    [
      'waiting errors',
      renderPage(WaitingPage, view, { action, errors: { code: 'error.codeWrong' } as const, feeds, ...links }),
    ],
    ['activate link', renderPage(ActivateLinkPage, view, { action, token: said })],
    ...(['expired', 'used', 'unknown', 'session'] as const).map(
      (reason) => [`link ${reason}`, renderPage(LinkProblemPage, view, { reason, ...links })] as const,
    ),
    [
      'password',
      renderPage(ChoosePasswordPage, view, { ...choose, errors: {}, needsSignInName: false, userName: said }),
    ],
    [
      'password errors',
      renderPage(ChoosePasswordPage, view, {
        ...choose,
        errors: { signInName: 'error.signInNameUnsuitable', password: 'error.passwordTooShort' } as const,
        needsSignInName: true,
        userName: null,
      }),
    ],
    ['keep code', renderPage(KeepCodePage, view, { code: 'K7QM-4TXP-9HWD', continueHref: '/' })],
    ['recover', renderPage(RecoverPage, view, { action, values: { identifier: said }, errors: {}, ...links })],
    [
      'recover errors',
      renderPage(RecoverPage, view, {
        action,
        values: { identifier: '' },
        errors: { identifier: 'error.identifierMissing' } as const,
        ...links,
      }),
    ],
    ['recover waiting', renderPage(RecoverWaitingPage, view, links)],
    ['recover link', renderPage(RecoverLinkPage, view, { action, token: said })],
    [
      'new password',
      renderPage(NewPasswordPage, view, {
        action,
        request: said,
        errors: {},
        needsRecoveryCode: false,
        minimumLength: 15,
      }),
    ],
    [
      'new password errors',
      renderPage(NewPasswordPage, view, {
        action,
        request: said,
        errors: { recoveryCode: 'error.recoveryCodeWrong', password: 'error.newPasswordMissing' } as const,
        needsRecoveryCode: true,
        minimumLength: 15,
      }),
    ],
    [
      'consent nothing',
      renderPage(ConsentPage, view, { action, cancelAction: '/cancel', appName: said, vendorUri: null, facts: [] }),
    ],
    [
      'problem alone',
      renderPage(ProblemPage, view, {
        kind: 'not-found' as const,
        requestId: 'e8ba8300-3326-4fed-a439-30f1ff41a564',
        wayBack: null,
        retryHref: null,
      }),
    ],
    [
      'consent',
      renderPage(ConsentPage, view, {
        action,
        cancelAction: '/cancel',
        appName: said,
        vendorUri: 'https://vendor.example/about',
        facts: [
          'name',
          'email',
          'phone',
          'students',
          'students.name',
          'students.school',
          'students.grade',
          'students.relation',
          'students.records',
          'students.pickup',
          'students.meals',
          'offline',
        ] as const,
      }),
    ],
    ['terms', renderPage(TermsPage, view, { action, version: '1' })],
    ['terms read', renderPage(TermsPage, view, { action: null, version: '1' })],
    ['news', renderPage(NewsPage, view, { action })],
    ['address', renderPage(AddressPage, view, { action, email: said, old: 'old@example.org' })],
    ['address sent', renderPage(AddressSentPage, view, { email: said, continueHref: '/' })],
    ['address link', renderPage(AddressLinkPage, view, { action, token: said })],
    ['address done', renderPage(AddressDonePage, view, { email: said })],
    ['address taken', renderPage(AddressDonePage, view, { email: null })],
    ['change password', renderPage(ChangePasswordPage, view, { ...change, errors: {} })],
    [
      'change password errors',
      renderPage(ChangePasswordPage, view, {
        ...change,
        errors: { current: 'error.currentPasswordWrong', password: 'error.passwordCommon' } as const,
        waitMinutes: 1,
      }),
    ],
    ['done', renderPage(DonePage, view, { apps: answers.map(({ state }) => ({ name: null, state })), again: '/done' })],
    [
      'devices only here',
      renderPage(DevicesPage, view, {
        ...devices,
        live: [{ ...place, browser: null, apps: [] }],
        ended: [],
        outcome: 'gone' as const,
      }),
    ],
    [
      'devices',
      renderPage(DevicesPage, view, {
        ...devices,
        live: [
          { ...place, apps: [said] },
          { ...place, uid: 'u2', device: 'kept' as const, apps: [] },
          { ...place, uid: 'u3', device: 'shared' as const, apps: [said] },
        ],
        ended: [
          { ...place, uid: 'u4', endedAt: later, apps: answers },
          { ...place, uid: 'u5', endedAt: later, apps: [] },
        ],
        outcome: 'done' as const,
      }),
    ],
    ['home on a shared computer', renderPage(HomePage, { ...view, sharedComputer: true }, home)],
    ['permissions none', renderPage(PermissionsPage, view, { ...permissions, permissions: [] })],
    ['permissions', renderPage(PermissionsPage, view, permissions)],
    ['password changed', renderPage(PasswordChangedPage, view, change)],
    ['sign out', renderPage(SignOutPage, view, { action, xsrf: said, appName: said })],
    ['sign out own', renderPage(SignOutPage, view, { action, xsrf: said, appName: null })],
    ['signed out own', renderPage(SignedOutPage, view, { app: null, apps: [], again: '/signed-out' })],
    [
      'signed out',
      renderPage(SignedOutPage, view, {
        app: { href: 'https://app.example/', label: said },
        apps: answers,
        again: '/signed-out',
      }),
    ],
    ...problems.map(
      (kind) =>
        [
          `problem ${kind}`,
          renderPage(ProblemPage, view, {
            kind,
            requestId: 'e8ba8300-3326-4fed-a439-30f1ff41a564',
            wayBack: { href: 'https://app.example/start', label: said },
            retryHref: '/again',
            retryAfterMinutes: 4,
            signOutAction: kind === 'app-mistake' ? '/leave' : undefined,
          }),
        ] as const,
    ),
    ['welcome', renderPage(WelcomePage, view, links)],
    ['help', renderPage(HelpPage, view, links)],
    ['home empty', renderPage(HomePage, view, home)],
    [
      'home',
      renderPage(HomePage, view, {
        ...home,
        tiles: [
          { name: 'eChoices', sentence: said, href: 'http://localhost:23001/start' },
          { name: 'Cafeteria', sentence: 'Meals and balances', href: 'http://localhost:23003/start' },
        ],
        children: [
          { ...child, grade: '12', until: '2027-01-04' },
          { ...child, name: 'Luis Lopez', grade: null, schoolName: null, until: null },
        ],
        contactFacts: [
          { kind: 'phone' as const, value: '(213) 555-0100', schoolName: 'Lincoln Elementary', on },
          { kind: 'email' as const, value: 'maria.guadalupe.fernandez@example.org', schoolName: null, on },
        ],
      }),
    ],
  ];
  return pages.map(([name, html]) => ({ name, html }));
}
