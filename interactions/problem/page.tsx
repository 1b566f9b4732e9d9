import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { ButtonLink, Card } from '../../src/ui/parts.js';
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
}

/** What happened, in plain words, and a next step. */
export function ProblemPage({
  view,
  kind,
  requestId,
  wayBack,
  retryHref,
  retryAfterMinutes = 1,
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
        {wayBack !== null && <ButtonLink href={wayBack.href}>{t('problem.back', { app: wayBack.label })}</ButtonLink>}
        {retryHref !== null && (
          <ButtonLink href={retryHref} kind={wayBack === null ? 'primary' : 'secondary'}>
            {t('problem.retry')}
          </ButtonLink>
        )}
        <ButtonLink href="/" kind={wayBack === null && retryHref === null ? 'primary' : 'secondary'}>
          {t('problem.home')}
        </ButtonLink>
        <p class="pa-quiet pa-reference">
          {t('problem.reference')} <code>{requestId}</code>
        </p>
      </Card>
    </Document>
  );
}
