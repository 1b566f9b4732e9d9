import type { ErrorKey } from '../locales/translate.js';

/** How each verdict on a new password reads. */
export const passwordErrors = {
  missing: 'error.newPasswordMissing',
  short: 'error.passwordTooShort',
  long: 'error.passwordTooLong',
  common: 'error.passwordCommon',
  personal: 'error.passwordPersonal',
} as const satisfies Record<string, ErrorKey>;
