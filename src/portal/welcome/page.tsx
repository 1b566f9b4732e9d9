import type { JSX } from 'preact';
import { Document } from '../../ui/document.js';
import { ButtonLink, Card, Link } from '../../ui/parts.js';
import type { View } from '../../ui/view.js';

export interface WelcomeProps {
  readonly view: View;
  readonly signInHref: string;
  readonly registerHref: string;
}

/** What this is and how to begin, for who is not signed in. */
export function WelcomePage({ view, signInHref, registerHref }: WelcomeProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('welcome.title')}>
      <Card title={t('welcome.title')}>
        <p class="pa-lead">{t('welcome.lead')}</p>
        <ButtonLink href={signInHref}>{t('welcome.signIn')}</ButtonLink>
        <ButtonLink href={registerHref} kind="secondary">
          {t('welcome.register')}
        </ButtonLink>
      </Card>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('welcome.stepsTitle')}</h2>
        <ol class="pa-steps">
          <li>{t('welcome.step1')}</li>
          <li>{t('welcome.step2')}</li>
          <li>{t('welcome.step3')}</li>
        </ol>
        <p class="pa-text">
          {t('welcome.noEmail')}{' '}
          <Link href="/help#no-email" class="pa-row-link">
            {t('welcome.noEmailLink')}
          </Link>
        </p>
      </section>
    </Document>
  );
}
