import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { translator } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { PasswordNotice } from './change-password.js';
import { after, values } from '../values.js';
import { passwordChangedLetter } from './letters.js';

/** Whether the owner was told so often within a day that one letter more only buries the others. */
async function wasToldEnough(trx: Database, clock: Clock, accountId: string): Promise<boolean> {
  const { count } = await trx
    .selectFrom('revocations')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('account_id', '=', accountId)
    .where('because', 'in', ['password-changed', 'recovered'])
    .where('created_at', '>', after(clock(), -86_400))
    .executeTakeFirstOrThrow();
  // The change at hand has been written already.
  return Number(count) > values.passwordLettersADay;
}

/**
 * Makes the letter that tells the owner of a changed password, in their language, and posts it; so many a day, because whoever knows
 * the password may change it as often as they like.
 */
export function passwordNotice(
  clock: Clock,
  { issuer, timeZone }: { issuer: string; timeZone: string },
  post: PostLetter,
): PasswordNotice {
  return async (trx, accountId) => {
    if (await wasToldEnough(trx, clock, accountId)) return;
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
