import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button, Checkbox, CodeField, TextField } from '../../src/ui/fields.js';
import type { FieldErrors } from '../../src/ui/fields.js';
import { Aside, Card, ErrorSummary, Form, Link, hasErrors } from '../../src/ui/parts.js';
import { NewPassword } from '../../src/ui/new-password.js';
import type { View } from '../../src/ui/view.js';

export interface RecoverProps {
  readonly view: View;
  readonly action: string;
  readonly values: { readonly identifier: string };
  readonly errors: FieldErrors<'identifier'>;
  readonly signInHref: string;
}

/** The e-mail or sign-in name of the account whose password is forgotten. */
export function RecoverPage({ view, action, values, errors, signInHref }: RecoverProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('recover.title')} hasErrors={hasErrors(errors)}>
      <ErrorSummary view={view} errors={errors} />
      <Card title={t('recover.title')}>
        <p class="pa-lead">{t('recover.lead')}</p>
        <Form action={action}>
          <TextField
            view={view}
            name="identifier"
            label={t('field.identifier')}
            value={values.identifier}
            autocomplete="username"
            inputmode="email"
            error={errors.identifier}
          />
          <Button>{t('recover.submit')}</Button>
        </Form>
        <Aside title={t('recover.remember')}>
          <Link href={signInHref} class="pa-row-link">
            {t('recover.signIn')}
          </Link>
        </Aside>
        <Aside title={t('recover.noMailTitle')}>
          <p>{t('recover.noMail')}</p>
        </Aside>
      </Card>
    </Document>
  );
}

export interface RecoverWaitingProps {
  readonly view: View;
  readonly signInHref: string;
  readonly againHref: string;
}

/** The same page for everybody who asked. */
export function RecoverWaitingPage({ view, signInHref, againHref }: RecoverWaitingProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('recoverWaiting.title')}>
      <Card title={t('recoverWaiting.title')}>
        <p class="pa-lead">{t('recoverWaiting.lead')}</p>
        <p class="pa-text">{t('recoverWaiting.do')}</p>
        <Aside title={t('recoverWaiting.noMailTitle')}>
          <ul class="pa-list">
            <li>{t('recoverWaiting.checkSpam')}</li>
            <li>{t('recoverWaiting.checkOther')}</li>
            <li>{t('recoverWaiting.checkSchool')}</li>
          </ul>
          <Link href={againHref} class="pa-row-link">
            {t('recoverWaiting.again')}
          </Link>
        </Aside>
        <Link href={signInHref} class="pa-row-link">
          {t('recoverWaiting.signIn')}
        </Link>
      </Card>
    </Document>
  );
}

export interface RecoverLinkProps {
  readonly view: View;
  readonly action: string;
  readonly token: string;
}

/** What a mailed recovery link opens: one button. */
export function RecoverLinkPage({ view, action, token }: RecoverLinkProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('recoverLink.title')}>
      <Card title={t('recoverLink.title')}>
        <p class="pa-lead">{t('recoverLink.lead')}</p>
        <Form action={action} hidden={{ token }}>
          <Button>{t('recoverLink.submit')}</Button>
        </Form>
        <p class="pa-text">{t('recoverLink.notYou')}</p>
      </Card>
    </Document>
  );
}

export interface NewPasswordProps {
  readonly view: View;
  readonly action: string;
  readonly errors: FieldErrors<'password' | 'recoveryCode'>;
  /** The id of the recovery that the page was drawn for. */
  readonly request: string;
  /** The mailbox is shared, so the mailed link alone is not enough. */
  readonly needsRecoveryCode: boolean;
  readonly minimumLength: number;
}

/** A new password and, on a shared mailbox, the recovery code. */
export function NewPasswordPage(props: NewPasswordProps): JSX.Element {
  const { view, action, request, errors, needsRecoveryCode, minimumLength } = props;
  const { t } = view;
  const filled = { minimum: minimumLength };
  return (
    <Document view={view} title={t('newPassword.title')} hasErrors={hasErrors(errors)} hasPassword>
      <ErrorSummary view={view} errors={errors} values={filled} />
      <Card title={t('newPassword.title')}>
        <p class="pa-lead">{t('newPassword.lead')}</p>
        <Form action={action} hidden={{ request }}>
          {needsRecoveryCode && (
            <CodeField
              view={view}
              name="recoveryCode"
              kind="paper"
              label={t('field.recoveryCode')}
              hint={t('newPassword.codeHint')}
              error={errors.recoveryCode}
            />
          )}
          <NewPassword view={view} minimum={minimumLength} error={errors.password} />
          <Checkbox name="shared" label={t('login.shared')} hint={t('login.sharedHint')} />
          <Button>{t('newPassword.submit')}</Button>
        </Form>
      </Card>
    </Document>
  );
}
