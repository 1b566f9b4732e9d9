import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { ButtonLink, Card, Form } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

/** Every way in which things go wrong that a person can meet. */
export type ProblemKind =
  | 'unknown-app'
  | 'bad-redirect'
  | 'app-mistake'
  | 'expired'
  | 'no-cookies'
  | 'not-found'
  | 'forbidden-origin'
  | 'busy'
  | 'too-many'
  | 'bad-request'
  | 'server';

export interface ProblemProps {
  readonly view: View;
  readonly kind: ProblemKind;
  /** What the log knows this request by. */
  readonly requestId: string;
  /** The app to go on to. */
  readonly wayBack: { readonly href: string; readonly label: string } | null;
  /** The same page again, where waiting helps. */
  readonly retryHref: string | null;
  readonly retryAfterMinutes?: number;
  /** Where the button posts of who wanted to sign out and is signed in still. */
  readonly signOutAction?: string | undefined;
}

/** What happened, in plain words, and a next step. */
export function ProblemPage({
  view,
  kind,
  requestId,
  wayBack,
  retryHref,
  retryAfterMinutes = 1,
  signOutAction,
}: ProblemProps): JSX.Element {
  const { t } = view;
  const title = t(`problem.${kind}.title`);
  const hours = Math.ceil(retryAfterMinutes / 60);
  // A wait of a day reads better in hours.
  const isLong = kind === 'too-many' && retryAfterMinutes > 120;
  const next = isLong
    ? t('problem.too-many.nextHours', { hours })
    : t(`problem.${kind}.next`, { minutes: retryAfterMinutes });
  return (
    <Document view={view} title={title}>
      <Card title={title}>
        <p class="pa-lead">{t(`problem.${kind}.text`)}</p>
        <p class="pa-text">{next}</p>
        {signOutAction !== undefined && (
          <Form action={signOutAction}>
            <p class="pa-text">{t('problem.stillSignedIn')}</p>
            <Button>{t('site.signOut')}</Button>
          </Form>
        )}
        {wayBack !== null && (
          <ButtonLink href={wayBack.href} kind={signOutAction === undefined ? 'primary' : 'secondary'}>
            {t('problem.back', { app: wayBack.label })}
          </ButtonLink>
        )}
        {retryHref !== null && (
          <ButtonLink href={retryHref} kind={wayBack === null && signOutAction === undefined ? 'primary' : 'secondary'}>
            {t('problem.retry')}
          </ButtonLink>
        )}
        <ButtonLink
          href="/"
          kind={wayBack === null && retryHref === null && signOutAction === undefined ? 'primary' : 'secondary'}
        >
          {t('problem.home')}
        </ButtonLink>
        <p class="pa-quiet pa-reference">
          {t('problem.reference')} <code>{requestId}</code>
        </p>
      </Card>
    </Document>
  );
}
