import { passwordChangedLetter } from './accounts/letters.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import { translator } from './locales/translate.js';
import type { outbox } from './mail/outbox.js';

/** Tells an account's person by mail that its password changed, with the caller's transaction. */
export async function passwordNotice(
  trx: Database,
  accountId: string,
  clock: Clock,
  { issuer, timeZone }: { issuer: string; timeZone: string },
  post: ReturnType<typeof outbox>,
): Promise<void> {
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
}
