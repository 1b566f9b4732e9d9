import type { AppRegistration } from '../src/provider/app-registration.js';
import type { Locale } from '../src/locales/translate.js';

/** Where a person goes on to, and what it is called. */
export interface WayBack {
  href: string;
  label: string;
}

/** An app's name in the reader's language. */
export function appName(app: AppRegistration, locale: Locale): string {
  return locale === 'es' ? (app['client_name#es'] ?? app.client_name) : app.client_name;
}

/**
 * The way to an app that works from anywhere: the address with which it starts a sign-in of its own
 * (OpenID Connect Core §4), else its home.
 */
export function wayTo(app: AppRegistration, issuer: string, locale: Locale): WayBack | null {
  const label = appName(app, locale);
  if (app.initiate_login_uri !== undefined) {
    const address = new URL(app.initiate_login_uri);
    address.searchParams.set('iss', issuer);
    return { href: address.href, label };
  }
  return app.client_uri === undefined ? null : { href: app.client_uri, label };
}

/** Our own pages have no app to go back to: for them the way is the portal. */
export function isPortal(app: AppRegistration | null): boolean {
  return app === null || app.client_id === 'parent-access-portal';
}
