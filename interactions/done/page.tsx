import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { ButtonLink, Card } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';
import { Confirmations, isWaiting } from '../../src/ui/confirmations.js';
import type { AppConfirmation } from '../../src/ui/confirmations.js';

export interface DoneProps {
  readonly view: View;
  /** How many apps were reached, and what each said; not which they are. */
  readonly apps: readonly AppConfirmation[];
  /** This page. */
  readonly again: string;
}

/** The next person at a shared computer finds nothing; what the browser itself may keep is said. */
export function DonePage({ view, apps, again }: DoneProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('done.title')} isDone isLive={isWaiting(apps)}>
      <Card title={t('done.title')}>
        <p class="pa-lead">{t('done.lead')}</p>
        <Confirmations view={view} apps={apps} again={again} />
        <p class="pa-text">{t('done.close')}</p>
        <ButtonLink href="/" kind="secondary">
          {t('signedOut.toHome')}
        </ButtonLink>
      </Card>
    </Document>
  );
}
