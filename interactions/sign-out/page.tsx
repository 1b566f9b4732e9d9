import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { ButtonLink, Card, Form } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';
import { Confirmations, isWaiting } from '../../src/ui/confirmations.js';
import type { AppConfirmation } from '../../src/ui/confirmations.js';

export interface SignOutProps {
  readonly view: View;
  readonly action: string;
  /** The provider's own guard of this form. */
  readonly xsrf: string;
  /** The app that asks; null for our own button. */
  readonly appName: string | null;
}

/** Asks whether to sign out. */
export function SignOutPage({ view, action, xsrf, appName }: SignOutProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('signOut.title')}>
      <Card title={t('signOut.title')}>
        <p class="pa-lead">{appName === null ? t('signOut.lead') : t('signOut.leadApp', { app: appName })}</p>
        <Form action={action} hidden={{ xsrf }}>
          <Button name="logout" value="yes">
            {t('signOut.submit')}
          </Button>
          {appName !== null && <Button kind="secondary">{t('signOut.stay')}</Button>}
        </Form>
        {appName === null && (
          <ButtonLink href="/" kind="secondary">
            {t('signOut.stay')}
          </ButtonLink>
        )}
      </Card>
    </Document>
  );
}

export interface SignedOutProps {
  readonly view: View;
  /** The app to go back to, and its name; null where there is none. */
  readonly app: { readonly href: string; readonly label: string } | null;
  /** What the apps have confirmed so far. */
  readonly apps: readonly AppConfirmation[];
  /** This page. */
  readonly again: string;
}

/** Says that it is done, what the apps have confirmed, and what to do on a shared computer. */
export function SignedOutPage({ view, app, apps, again }: SignedOutProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('signedOut.title')} isDone isLive={isWaiting(apps)}>
      <Card title={t('signedOut.title')}>
        <p class="pa-lead">{t('signedOut.lead')}</p>
        <Confirmations view={view} apps={apps} again={again} />
        {app !== null && <ButtonLink href={app.href}>{t('signedOut.toApp', { app: app.label })}</ButtonLink>}
        <ButtonLink href="/" kind={app === null ? 'primary' : 'secondary'}>
          {t('signedOut.toHome')}
        </ButtonLink>
      </Card>
    </Document>
  );
}
