import type { PasswordProblem } from '../src/accounts/password-rules.js';
import type { ErrorKey } from '../src/locales/translate.js';

/** How each verdict on a password reads. */
export const passwordErrors = {
  missing: 'error.newPasswordMissing',
  short: 'error.passwordTooShort',
  long: 'error.passwordTooLong',
  common: 'error.passwordCommon',
  personal: 'error.passwordPersonal',
} as const satisfies Record<PasswordProblem, ErrorKey>;
