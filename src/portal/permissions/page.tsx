import type { JSX } from 'preact';
import { formatDate } from '../../locales/dates.js';
import type { ConsentFact } from '../../provider/consent-facts.js';
import { Document } from '../../ui/document.js';
import { Button } from '../../ui/fields.js';
import { Card, Form, Link, Notice } from '../../ui/parts.js';
import type { View } from '../../ui/view.js';

export interface PermissionsProps {
  readonly view: View;
  readonly action: string;
  readonly signOutAction: string;
  /** Whose page it is: the account's id, which comes back with each button. */
  readonly owner: string;
  readonly permissions: ReadonlyArray<{
    readonly clientId: string;
    readonly appName: string;
    readonly facts: readonly ConsentFact[];
    readonly givenAt: Date;
  }>;
  /** The app that was just stopped. */
  readonly stopped: string | null;
}

/** What a person allowed which vendor's app, and a button that takes it back. */
export function PermissionsPage(props: PermissionsProps): JSX.Element {
  const { view, action, signOutAction, owner, permissions, stopped } = props;
  const { t, locale, timeZone } = view;
  return (
    <Document view={view} title={t('permissions.title')} signOutAction={signOutAction}>
      {stopped !== null && (
        <Notice kind="success">
          <p>{t('permissions.stopped', { app: stopped })}</p>
        </Notice>
      )}
      <Card title={t('permissions.title')}>
        <p class="pa-lead">{permissions.length === 0 ? t('permissions.none') : t('permissions.lead')}</p>
        {permissions.map(({ clientId, appName, facts, givenAt }) => (
          <section class="pa-text" key={clientId}>
            <h2 class="pa-subtitle">{appName}</h2>
            <p>{t('permissions.since', { app: appName, date: formatDate(givenAt, locale, timeZone) })}</p>
            <ul class="pa-list">
              {facts.map((fact) => (
                <li key={fact}>{t(`consent.fact.${fact}`)}</li>
              ))}
            </ul>
            <Form action={action} hidden={{ app: clientId, owner }}>
              <Button kind="secondary">{t('permissions.stop', { app: appName })}</Button>
            </Form>
          </section>
        ))}
        <Link href="/" class="pa-row-link">
          {t('permissions.back')}
        </Link>
      </Card>
    </Document>
  );
}
