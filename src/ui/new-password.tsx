import type { JSX } from 'preact';
import type { ErrorKey } from '../locales/translate.js';
import { PasswordField } from './fields.js';
import type { View } from './view.js';

/** The rules for a password, in plain words. */
function PasswordRules({ view, minimum }: { readonly view: View; readonly minimum: number }): JSX.Element {
  const { t } = view;
  return (
    <div class="pa-text">
      <p>
        <strong>{t('password.ruleTitle')}</strong>
      </p>
      <ul class="pa-list">
        <li>{t('password.ruleLength', { minimum })}</li>
        <li>{t('password.ruleSentence')}</li>
        <li>{t('password.ruleNew')}</li>
        <li>{t('password.rulePaste')}</li>
      </ul>
    </div>
  );
}

/** The field in which a password is chosen, `password`, under its rules. */
export function NewPassword({
  view,
  minimum,
  error,
}: {
  readonly view: View;
  /** Characters. */
  readonly minimum: number;
  readonly error: ErrorKey | undefined;
}): JSX.Element {
  return (
    <>
      <PasswordRules view={view} minimum={minimum} />
      <PasswordField
        view={view}
        name="password"
        label={view.t('field.newPassword')}
        autocomplete="new-password"
        error={error}
        errorValues={{ minimum }}
      />
    </>
  );
}
