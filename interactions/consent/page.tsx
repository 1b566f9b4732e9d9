import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { Card, Form, Link } from '../../src/ui/parts.js';
import type { ConsentFact } from '../../src/provider/consent-facts.js';
import type { View } from '../../src/ui/view.js';

export interface ConsentProps {
  readonly view: View;
  readonly action: string;
  readonly cancelAction: string;
  readonly appName: string;
  readonly vendorUri: string | null;
  readonly facts: readonly ConsentFact[];
}

/** What a vendor's app would receive, fact by fact. */
export function ConsentPage({ view, action, cancelAction, appName, vendorUri, facts }: ConsentProps): JSX.Element {
  const { t } = view;
  const title = t('consent.title', { app: appName });
  const groups = [
    { heading: t('consent.you'), facts: facts.filter((fact) => !fact.startsWith('students') && fact !== 'offline') },
    { heading: t('consent.children'), facts: facts.filter((fact) => fact.startsWith('students')) },
    { heading: t('consent.more'), facts: facts.filter((fact) => fact === 'offline') },
  ];
  return (
    <Document view={view} title={title}>
      <Card title={title}>
        <p class="pa-lead">{t('consent.lead', { app: appName })}</p>
        {facts.length === 0 && <p class="pa-text">{t('consent.nothing')}</p>}
        {groups
          .filter((group) => group.facts.length > 0)
          .map((group) => (
            <section class="pa-text" key={group.heading}>
              <h2 class="pa-subtitle">{group.heading}</h2>
              <ul class="pa-list">
                {group.facts.map((fact) => (
                  <li key={fact}>{t(`consent.fact.${fact}`)}</li>
                ))}
              </ul>
            </section>
          ))}
        {vendorUri !== null && (
          <Link href={vendorUri} class="pa-row-link">
            {t('consent.website', { app: appName })}
          </Link>
        )}
        <p class="pa-text">{t('consent.free')}</p>
        <p class="pa-text">{t('consent.later')}</p>
        <Form action={action} hidden={{ facts: facts.join(' ') }}>
          <Button>{t('consent.allow')}</Button>
        </Form>
        <Form action={cancelAction}>
          <Button kind="secondary">{t('consent.deny')}</Button>
        </Form>
      </Card>
    </Document>
  );
}
