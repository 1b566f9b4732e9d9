import type { JSX } from 'preact';
import { Document } from '../../ui/document.js';
import { Button, PasswordField } from '../../ui/fields.js';
import type { FieldErrors } from '../../ui/fields.js';
import { Card, ErrorSummary, Form, Link, Notice, hasErrors } from '../../ui/parts.js';
import { NewPassword } from '../../ui/new-password.js';
import type { View } from '../../ui/view.js';

export interface ChangePasswordProps {
  readonly view: View;
  readonly action: string;
  readonly errors: FieldErrors<'current' | 'password'>;
  readonly minimumLength: number;
  /** How long a throttled person should wait. */
  readonly waitMinutes?: number | undefined;
  readonly signOutAction: string;
}

/** A new password for who is signed in and knows the old one. */
export function ChangePasswordPage(props: ChangePasswordProps): JSX.Element {
  const { view, action, errors, minimumLength, waitMinutes, signOutAction } = props;
  const { t } = view;
  const filled = { minimum: minimumLength };
  return (
    <Document
      view={view}
      title={t('changePassword.title')}
      hasErrors={hasErrors(errors)}
      signOutAction={signOutAction}
      hasPassword
    >
      {waitMinutes !== undefined && (
        <Notice kind="warning">
          <p>{t('login.notice.throttled', { minutes: waitMinutes })}</p>
        </Notice>
      )}
      <ErrorSummary view={view} errors={errors} values={filled} />
      <Card title={t('changePassword.title')}>
        <p class="pa-lead">{t('newPassword.lead')}</p>
        <Form action={action}>
          <PasswordField
            view={view}
            name="current"
            label={t('field.currentPassword')}
            autocomplete="current-password"
            error={errors.current}
          />
          <NewPassword view={view} minimum={minimumLength} error={errors.password} />
          <Button>{t('newPassword.submit')}</Button>
        </Form>
        <Link href="/" class="pa-row-link">
          {t('changePassword.back')}
        </Link>
      </Card>
    </Document>
  );
}

export interface PasswordChangedProps {
  readonly view: View;
  readonly signOutAction: string;
}

/** Says that it is done. */
export function PasswordChangedPage({ view, signOutAction }: PasswordChangedProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('passwordChanged.title')} signOutAction={signOutAction}>
      <Card title={t('passwordChanged.title')}>
        <p class="pa-lead">{t('passwordChanged.lead')}</p>
        <Link href="/" class="usa-button">
          {t('changePassword.back')}
        </Link>
      </Card>
    </Document>
  );
}
