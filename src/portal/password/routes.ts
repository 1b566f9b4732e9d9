import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { changePassword } from '../../accounts/change-password.js';
import type { PasswordNotice } from '../../accounts/change-password.js';
import type { PasswordHasher } from '../../accounts/password-hasher.js';
import { passwordProblem } from '../../accounts/password-rules.js';
import type { Accepted, SignIn } from '../../accounts/sign-in.js';
import type { RecordEvent } from '../../audit/audit.js';
import type { Clock } from '../../database/clock.js';
import type { Database } from '../../database/database.js';
import type { CookieJar } from '../../http/cookies.js';
import { field } from '../../http/form.js';
import { Throttled } from '../../http/throttle.js';
import type { Interactions } from '../../provider/interactions.js';
import { passwordErrors } from '../../ui/password-errors.js';
import type { Reply } from '../../ui/reply.js';
import { values } from '../../values.js';
import { ChangePasswordPage, PasswordChangedPage } from './page.js';

export interface PasswordParts {
  db: Database;
  clock: Clock;
  hasher: PasswordHasher;
  audit: RecordEvent;
  signIn: SignIn;
  notice: PasswordNotice;
  interactions: Interactions;
  reply: Reply;
  cookies: CookieJar;
  /** Lets what was ended be told to the apps at once. */
  tellApps(): void;
}

type Errors = Parameters<typeof ChangePasswordPage>[0]['errors'];

/** `/password`: a new password for who is signed in; the old one is asked, by the same counter as at sign-in. */
export function passwordRoutes(router: RouterInstance, parts: PasswordParts): void {
  const { db, reply } = parts;
  const show = (ctx: Context, errors: Errors, status = 200, waitMinutes?: number): void =>
    reply(
      ctx,
      ChangePasswordPage,
      { action: '/password', errors, minimumLength: values.passwordLength, waitMinutes, signOutAction: '/leave' },
      { status, path: '/password' },
    );

  router.get('/password', async (ctx) => {
    if ((await parts.interactions.session(ctx)) === null) return ctx.redirect('/sign-in');
    show(ctx, {});
  });

  router.post('/password', async (ctx) => {
    const session = await parts.interactions.session(ctx);
    if (session === null) return ctx.redirect('/sign-in');
    const { accountId, uid } = session;
    const account = await db
      .selectFrom('accounts')
      .select(['email', 'sign_in_name'])
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    const identifier = account.sign_in_name ?? account.email;
    const current = field(ctx, 'current');
    if (current === '') return show(ctx, { current: 'error.passwordMissing' }, 422);
    const password = field(ctx, 'password');
    const weak = passwordProblem(password, [account.email, identifier]);
    if (weak !== null) return show(ctx, { password: passwordErrors[weak] }, 422);
    let proven: Accepted | null;
    try {
      proven = await parts.signIn.check(
        identifier,
        current,
        String(ctx.state['source']),
        parts.cookies.getUnsigned(ctx, 'device'),
      );
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return show(ctx, {}, 429, Math.ceil(error.retryAfter / 60));
    }
    if (proven === null || proven.disabled || proven.accountId !== accountId)
      return show(ctx, { current: 'error.currentPasswordWrong' }, 422);
    const changed = await changePassword(db, parts.clock, parts.hasher, parts.audit, parts.notice, {
      accountId,
      sessionUid: uid,
      generation: proven.generation,
      password,
    });
    if (changed === 'over') return ctx.redirect('/sign-in');
    if (changed === 'outdated') return show(ctx, { current: 'error.currentPasswordWrong' }, 422);
    if (changed === 'already') return ctx.redirect('/password/changed');
    parts.tellApps();
    // Nor does a copy of this session's cookie go on, which somebody took with the old password perhaps.
    await parts.interactions.renew(ctx, true);
    // Led on, so that no page in the browser's history was asked for with a password.
    ctx.redirect('/password/changed');
  });

  router.get('/password/changed', async (ctx) => {
    if ((await parts.interactions.session(ctx)) === null) return ctx.redirect('/sign-in');
    reply(ctx, PasswordChangedPage, { signOutAction: '/leave' });
  });
}
