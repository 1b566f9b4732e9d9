import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { ButtonLink, Card } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

/** The next person at a shared computer finds nothing; what the browser itself may keep is said. */
export function DonePage({ view }: { readonly view: View }): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('done.title')} isDone>
      <Card title={t('done.title')}>
        <p class="pa-lead">{t('done.lead')}</p>
        <p class="pa-text">{t('done.close')}</p>
        <ButtonLink href="/" kind="secondary">
          {t('signedOut.toHome')}
        </ButtonLink>
      </Card>
    </Document>
  );
}
