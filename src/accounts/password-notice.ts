import type { Clock } from '../database/clock.js';
import { translator } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { PasswordNotice } from './change-password.js';
import { passwordChangedLetter } from './letters.js';

/** Makes the letter that tells the owner of a changed password, in their language, and posts it. */
export function passwordNotice(
  clock: Clock,
  { issuer, timeZone }: { issuer: string; timeZone: string },
  post: PostLetter,
): PasswordNotice {
  return async (trx, accountId) => {
    const { email, locale } = await trx
      .selectFrom('accounts')
      .select(['email', 'locale'])
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    const language = locale === 'es' ? 'es' : 'en';
    await post(trx, {
      to: email,
      ...passwordChangedLetter(translator(language), {
        when: clock(),
        locale: language,
        timeZone,
        recoverLink: `${issuer}/recover`,
      }),
    });
  };
}
