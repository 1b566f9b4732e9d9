import type { JSX } from 'preact';
import { Document } from '../src/ui/document.js';
import { ButtonLink, Card } from '../src/ui/parts.js';
import type { View } from '../src/ui/view.js';

export interface LinkProblemProps {
  readonly view: View;
  readonly reason: 'expired' | 'used' | 'unknown' | 'session';
  /** Where a new link is asked for. */
  readonly againHref: string;
  readonly signInHref: string;
}

/** Why a mailed link does not work, and the way to a new one. */
export function LinkProblemPage({ view, reason, againHref, signInHref }: LinkProblemProps): JSX.Element {
  const { t } = view;
  const title = t(`link.${reason}.title`);
  // Who used the link, or is not signed in, needs no new one.
  const signInFirst = reason === 'used' || reason === 'session';
  const again = (
    <ButtonLink href={againHref} kind={signInFirst ? 'secondary' : 'primary'}>
      {t('link.again')}
    </ButtonLink>
  );
  return (
    <Document view={view} title={title}>
      <Card title={title}>
        <p class="pa-lead">{t(`link.${reason}.text`)}</p>
        <div class="pa-choices">
          {!signInFirst && again}
          <ButtonLink href={signInHref} kind={signInFirst ? 'primary' : 'secondary'}>
            {t('link.signIn')}
          </ButtonLink>
          {signInFirst && again}
        </div>
      </Card>
    </Document>
  );
}
