import type { JSX } from 'preact';
import type { View } from './view.js';

/** The rules for a password, in plain words. */
export function PasswordRules({ view, minimum }: { readonly view: View; readonly minimum: number }): JSX.Element {
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
