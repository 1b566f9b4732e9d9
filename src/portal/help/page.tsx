import type { JSX } from 'preact';
import { Document } from '../../ui/document.js';
import { ButtonLink, Card } from '../../ui/parts.js';
import type { View } from '../../ui/view.js';

export interface HelpProps {
  readonly view: View;
  readonly registerHref: string;
  readonly signInHref: string;
}

const topics = [
  ['register', 'register'],
  ['no-message', 'noMessage'],
  ['no-email', 'noEmail'],
  ['shared', 'shared'],
  ['forgot', 'forgot'],
  ['places', 'places'],
  ['documents', 'documents'],
  ['safe', 'safe'],
] as const;

/** Answers to what parents ask, in plain words. */
export function HelpPage({ view, registerHref, signInHref }: HelpProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('help.title')}>
      <Card title={t('help.title')}>
        <nav class="pa-text" aria-labelledby="contents">
          <h2 class="pa-subtitle" id="contents">
            {t('help.contents')}
          </h2>
          <ul class="pa-contents">
            {topics.map(([id, topic]) => (
              <li key={id}>
                <a href={`#${id}`}>{t(`help.${topic}.title`)}</a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="pa-prose">
          {topics.map(([id, topic]) => (
            <section key={id}>
              <h2 id={id}>{t(`help.${topic}.title`)}</h2>
              <p>{t(`help.${topic}.text1`)}</p>
              <p>{t(`help.${topic}.text2`)}</p>
            </section>
          ))}
        </div>
        <ButtonLink href={registerHref}>{t('help.toRegister')}</ButtonLink>
        <ButtonLink href={signInHref} kind="secondary">
          {t('help.toSignIn')}
        </ButtonLink>
      </Card>
    </Document>
  );
}
