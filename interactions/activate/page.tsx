import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button, Checkbox, TextField } from '../../src/ui/fields.js';
import type { FieldErrors } from '../../src/ui/fields.js';
import { ButtonLink, Card, ErrorSummary, Form, hasErrors } from '../../src/ui/parts.js';
import { NewPassword } from '../../src/ui/new-password.js';
import type { View } from '../../src/ui/view.js';

export interface ActivateLinkProps {
  readonly view: View;
  readonly action: string;
  /** The mailed token, which travels with the button. */
  readonly token: string;
}

/** What a mailed link opens: one button. Looking at it changes nothing. */
export function ActivateLinkPage({ view, action, token }: ActivateLinkProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('activate.title')}>
      <Card title={t('activate.title')}>
        <p class="pa-lead">{t('activate.lead')}</p>
        <Form action={action} hidden={{ token }}>
          <Button>{t('activate.submit')}</Button>
        </Form>
        <p class="pa-text">{t('activate.notYou')}</p>
      </Card>
    </Document>
  );
}

export interface ChoosePasswordProps {
  readonly view: View;
  readonly action: string;
  /** The id of the registration that the page was drawn for. */
  readonly request: string;
  readonly values: { readonly signInName: string };
  readonly errors: FieldErrors<'password' | 'signInName'>;
  /** Another account signs in by this mailbox. */
  readonly needsSignInName: boolean;
  readonly minimumLength: number;
  /** The e-mail to sign in with, for password managers; null where a sign-in name is chosen. */
  readonly userName: string | null;
}

/** A password and, on a shared mailbox, a sign-in name. */
export function ChoosePasswordPage(props: ChoosePasswordProps): JSX.Element {
  const { view, action, request, values, errors, needsSignInName, minimumLength, userName } = props;
  const { t } = view;
  const filled = { minimum: minimumLength };
  return (
    <Document view={view} title={t('password.title')} hasErrors={hasErrors(errors)} hasPassword>
      <ErrorSummary view={view} errors={errors} values={filled} />
      <Card title={t('password.title')}>
        <p class="pa-lead">{t('password.lead')}</p>
        <Form action={action} hidden={{ request }}>
          {needsSignInName && (
            <>
              <p class="pa-text">{t('password.signInNameLead')}</p>
              <TextField
                view={view}
                name="signInName"
                label={t('field.signInName')}
                hint={t('password.signInNameHint')}
                value={values.signInName}
                autocomplete="username"
                maxLength={60}
                error={errors.signInName}
              />
            </>
          )}
          {userName !== null && (
            <p class="pa-text">
              {t('password.account')}: <strong>{userName}</strong>
              <input type="hidden" name="username" value={userName} autocomplete="username" />
            </p>
          )}
          <NewPassword view={view} minimum={minimumLength} error={errors.password} />
          <Checkbox name="shared" label={t('login.shared')} hint={t('login.sharedHint')} />
          <Button>{t('password.submit')}</Button>
        </Form>
      </Card>
    </Document>
  );
}

export interface KeepCodeProps {
  readonly view: View;
  readonly code: string;
  readonly continueHref: string;
}

/** The recovery code of a shared mailbox, shown once. */
export function KeepCodePage({ view, code, continueHref }: KeepCodeProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('keep.title')} shownOnce>
      <Card title={t('keep.title')}>
        <p class="pa-lead">{t('keep.lead')}</p>
        <div class="pa-secret">
          <p class="pa-secret__label">{t('keep.label')}</p>
          <p class="pa-secret__code">{code}</p>
        </div>
        <p class="pa-text">{t('keep.once')}</p>
        <div class="pa-alert pa-alert--warning">
          <p>{t('keep.never')}</p>
        </div>
        <ButtonLink href={continueHref}>{t('keep.submit')}</ButtonLink>
      </Card>
    </Document>
  );
}
