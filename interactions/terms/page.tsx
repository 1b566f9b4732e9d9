import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { Card, Form } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

export interface TermsProps {
  readonly view: View;
  /** Where the decision is posted; null where the terms are only read. */
  readonly action: string | null;
  readonly version: string;
}

const parts = ['for', 'password', 'hold', 'share', 'misuse'] as const;

/** The terms of use, short and plain. */
export function TermsPage({ view, action, version }: TermsProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('terms.title')}>
      <Card title={t('terms.title')}>
        <p class="pa-lead">{t('terms.lead')}</p>
        <div class="pa-prose">
          {parts.map((part) => (
            <section key={part}>
              <h2>{t(`terms.${part}Title`)}</h2>
              <p>{t(`terms.${part}`)}</p>
            </section>
          ))}
        </div>
        <p class="pa-quiet pa-reference">{t('terms.version', { version })}</p>
        {action !== null && (
          <Form action={action}>
            <Button name="decision" value="accept">
              {t('terms.accept')}
            </Button>
            <Button kind="secondary" name="decision" value="decline">
              {t('terms.decline')}
            </Button>
          </Form>
        )}
      </Card>
    </Document>
  );
}
