import type { JSX } from 'preact';
import { Document } from '../../src/ui/document.js';
import { Button, Choices, PasswordField, TextField } from '../../src/ui/fields.js';
import type { Device } from '../../src/sessions/session-life.js';
import type { FieldErrors } from '../../src/ui/fields.js';
import { Aside, Card, ErrorSummary, Form, Link, Notice, hasErrors } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

export interface LoginProps {
  readonly view: View;
  readonly action: string;
  readonly values: { readonly identifier: string; readonly device?: Device };
  readonly errors: FieldErrors<'identifier' | 'password'>;
  /** The app that the person comes from; null for our own pages. */
  readonly appName: string | null;
  readonly registerHref: string;
  readonly recoverHref: string;
  /** How long a throttled person should wait. */
  readonly waitMinutes?: number | undefined;
  /** Where "Back to the app" posts; null where there is no app. */
  readonly cancelAction: string | null;
}

/** E-mail or sign-in name, and password. */
export function LoginPage(props: LoginProps): JSX.Element {
  const { view, action, values, errors, appName, registerHref, recoverHref, waitMinutes, cancelAction } = props;
  const { t } = view;
  const title = appName === null ? t('login.title') : t('login.titleForApp', { app: appName });
  return (
    <Document view={view} title={title} hasErrors={hasErrors(errors)} hasPassword>
      {waitMinutes !== undefined && (
        <Notice kind="warning">
          <p>{t('login.notice.throttled', { minutes: waitMinutes })}</p>
        </Notice>
      )}
      <ErrorSummary view={view} errors={errors} />
      <Card title={title}>
        <p class="pa-lead">{t('login.lead')}</p>
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
          <PasswordField
            view={view}
            name="password"
            label={t('field.password')}
            autocomplete="current-password"
            error={errors.password}
          />
          <Choices
            name="device"
            legend={t('login.device')}
            chosen={values.device ?? 'own'}
            choices={[
              { value: 'own', label: t('login.own') },
              { value: 'kept', label: t('login.keep'), hint: t('login.keepHint') },
              { value: 'shared', label: t('login.shared'), hint: t('login.sharedHint') },
            ]}
          />
          <Button>{t('login.submit')}</Button>
        </Form>
        <Link href={recoverHref} class="pa-row-link">
          {t('login.forgot')}
        </Link>
        <Aside title={t('login.newHere')}>
          <Link href={registerHref} class="usa-button usa-button--outline">
            {t('login.register')}
          </Link>
        </Aside>
        {cancelAction !== null && appName !== null && (
          <div class="pa-turn-back">
            <Form action={cancelAction}>
              <Button kind="secondary">{t('login.back', { app: appName })}</Button>
            </Form>
          </div>
        )}
      </Card>
    </Document>
  );
}
