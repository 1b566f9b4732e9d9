import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { Card, Form } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

export interface NewsProps {
  readonly view: View;
  readonly action: string;
}

/** Tells that a contact of another school system joined the account by itself. */
export function NewsPage({ view, action }: NewsProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('news.title')}>
      <Card title={t('news.title')}>
        <p class="pa-lead">{t('news.lead')}</p>
        <p class="pa-text">{t('news.wrong')}</p>
        <Form action={action}>
          <Button>{t('news.submit')}</Button>
        </Form>
      </Card>
    </Document>
  );
}
