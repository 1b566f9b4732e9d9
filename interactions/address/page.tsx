import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button } from '../../src/ui/fields.js';
import { ButtonLink, Card, Form } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

export interface AddressProps {
  readonly view: View;
  readonly action: string;
  /** What the school has now. */
  readonly email: string;
  /** What the account uses. */
  readonly old: string;
}

/** Asks whether to use the e-mail that the school has now. */
export function AddressPage({ view, action, email, old }: AddressProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('address.title')}>
      <Card title={t('address.title')}>
        <p class="pa-lead">{t('address.lead', { email, old })}</p>
        <p class="pa-text">{t('address.why')}</p>
        <Form action={action}>
          <Button name="decision" value="use">
            {t('address.use', { email })}
          </Button>
          <Button kind="secondary" name="decision" value="keep">
            {t('address.keep', { old })}
          </Button>
        </Form>
      </Card>
    </Document>
  );
}

export interface AddressSentProps {
  readonly view: View;
  readonly email: string;
  /** Where the sign-in goes on. */
  readonly continueHref: string;
}

/** Says that a link is on its way, and lets the sign-in go on. */
export function AddressSentPage({ view, email, continueHref }: AddressSentProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('address.sentTitle')}>
      <Card title={t('address.sentTitle')}>
        <p class="pa-lead">{t('address.sent', { email })}</p>
        <ButtonLink href={continueHref}>{t('address.continue')}</ButtonLink>
      </Card>
    </Document>
  );
}

export interface AddressLinkProps {
  readonly view: View;
  readonly action: string;
  readonly token: string;
}

/** What the mailed link opens: one button. */
export function AddressLinkPage({ view, action, token }: AddressLinkProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('address.linkTitle')}>
      <Card title={t('address.linkTitle')}>
        <p class="pa-lead">{t('address.linkLead')}</p>
        <Form action={action} hidden={{ token }}>
          <Button>{t('address.linkSubmit')}</Button>
        </Form>
      </Card>
    </Document>
  );
}

export interface AddressDoneProps {
  readonly view: View;
  /** The new address; null when it cannot be used. */
  readonly email: string | null;
}

/** Says how it ended. */
export function AddressDonePage({ view, email }: AddressDoneProps): JSX.Element {
  const { t } = view;
  const title = email === null ? t('address.takenTitle') : t('address.doneTitle');
  return (
    <Document view={view} title={title}>
      <Card title={title}>
        <p class="pa-lead">{email === null ? t('address.taken') : t('address.doneLead', { email })}</p>
        <ButtonLink href="/">{t('problem.home')}</ButtonLink>
      </Card>
    </Document>
  );
}
