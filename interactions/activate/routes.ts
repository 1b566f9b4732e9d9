import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { activate, activationNeeds } from '../../src/accounts/activate.js';
import type { PasswordHasher } from '../../src/accounts/password-hasher.js';
import { passwordProblem } from '../../src/accounts/password-rules.js';
import { recoveryCodeOnceMore } from '../../src/accounts/recovery-code.js';
import { claimLink, claimProblem, claimedBy } from '../../src/accounts/requests.js';
import type { ClaimedRequest, LinkProblem } from '../../src/accounts/requests.js';
import type { RecordEvent } from '../../src/audit/audit.js';
import { field, parameter } from '../../src/http/form.js';
import type { Throttle } from '../../src/http/throttle.js';
import { passwordErrors } from '../../src/ui/password-errors.js';
import { localeOf } from '../../src/ui/reply.js';
import { values } from '../../src/values.js';
import type { InteractionParts } from '../entry.js';
import { goOn, wayOn } from '../finish.js';
import { nameNextPress, pressedAs } from '../left-unfinished.js';
import { allowReturn } from '../return-policy.js';
import { LinkProblemPage } from '../link-problem.js';
import { ActivateLinkPage, ChoosePasswordPage, KeepCodePage } from './page.js';

export interface ActivateParts extends InteractionParts {
  hasher: PasswordHasher;
  /** Counts the passwords that are hashed for one letter, by its request's id. */
  perLetter: Throttle;
  audit: RecordEvent;
  secretsKey: Uint8Array;
  timeZone: string;
  studentDomains: readonly string[];
}

type Errors = Parameters<typeof ChoosePasswordPage>[0]['errors'];

/**
 * `/activate`: the mailed link. To open it changes nothing, so that mail scanners leave it usable; its button binds it
 * to the browser, where the password is chosen and the account made.
 */
export function activateRoutes(router: RouterInstance, parts: ActivateParts): void {
  const { reply, cookies, db, clock } = parts;

  const showProblem = (ctx: Context, reason: LinkProblem): void =>
    reply(
      ctx,
      LinkProblemPage,
      { reason, againHref: '/register', signInHref: '/sign-in' },
      { status: 410, path: '/register' },
    );

  const request = async (ctx: Context): Promise<ClaimedRequest | null> => {
    const claim = cookies.get(ctx, 'claim');
    return claim === undefined ? null : claimedBy(db, clock, 'registration', claim);
  };

  const showCode = (ctx: Context, code: string, continueHref: string): void =>
    reply(ctx, KeepCodePage, { code, continueHref }, { path: '/activate/password' });

  // Where the answer was lost, or the form came twice, the account is there; and its code, until its owner goes on.
  const showUnclaimed = async (ctx: Context, reason?: LinkProblem): Promise<void> => {
    const claim = cookies.get(ctx, 'claim');
    const again = claim === undefined ? null : await recoveryCodeOnceMore(db, clock, parts.secretsKey, claim);
    if (again === null) return showProblem(ctx, reason ?? (await claimProblem(db, 'registration', claim)));
    showCode(ctx, again.code, wayOn(again.interactionUid));
  };

  const showPassword = async (
    ctx: Context,
    claimed: ClaimedRequest,
    typedName: string,
    errors: Errors,
    status = 200,
  ): Promise<void> => {
    const needs = await activationNeeds(db, claimed);
    if (needs === null) return showProblem(ctx, 'expired');
    reply(
      ctx,
      ChoosePasswordPage,
      {
        action: '/activate/password',
        request: claimed.id,
        values: { signInName: typedName },
        errors,
        needsSignInName: needs.signInName,
        minimumLength: values.passwordLength,
        userName: needs.signInName ? null : needs.email,
      },
      { status, path: '/activate/password' },
    );
    allowReturn(ctx, parts.interactions.app(claimed.clientId));
  };

  router.get('/activate', async (ctx) => {
    const token = parameter(ctx, 'token').slice(0, 100);
    await nameNextPress(ctx, parts);
    reply(ctx, ActivateLinkPage, { action: '/activate', token }, { path: ctx.url });
  });

  router.post('/activate', async (ctx) => {
    const token = field(ctx, 'token').slice(0, 100);
    const browser = pressedAs(ctx, cookies);
    // Somebody was done here since the page was shown, or no cookies are kept: what is pressed would end with nobody. The link stays good.
    if (browser === undefined) return showProblem(ctx, 'expired');
    const claimed = await claimLink(db, clock, 'registration', token, browser, cookies.get(ctx, 'claim') ?? null);
    if ('problem' in claimed) return showProblem(ctx, claimed.problem);
    cookies.set(ctx, 'claim', claimed.claim, values.claim);
    ctx.redirect('/activate/password');
  });

  router.get('/activate/password', async (ctx) => {
    const claimed = await request(ctx);
    if (claimed === null || claimed.contactId === null) return showUnclaimed(ctx);
    await showPassword(ctx, claimed, '', {});
  });

  router.post('/activate/password', async (ctx) => {
    const claimed = await request(ctx);
    if (claimed === null || claimed.contactId === null) return showUnclaimed(ctx);
    // A link of somebody else was pressed here since this form was drawn: what was typed is not for their account.
    if (field(ctx, 'request') !== claimed.id) return showProblem(ctx, 'expired');
    const password = field(ctx, 'password');
    const shared = field(ctx, 'shared') !== '';
    const typedName = field(ctx, 'signInName').slice(0, 60);
    const weak = passwordProblem(password, [claimed.identifier ?? '', typedName]);
    if (weak !== null) return showPassword(ctx, claimed, typedName, { password: passwordErrors[weak] }, 422);
    await parts.perLetter.spend(claimed.id);
    const done = await activate(db, clock, parts.hasher, parts.audit, {
      request: claimed,
      password,
      shared,
      signInName: typedName,
      locale: localeOf(ctx),
      timeZone: parts.timeZone,
      studentDomains: parts.studentDomains,
      secretsKey: parts.secretsKey,
    });
    // Of two presses the browser shows the answer to the later one, which finds it finished.
    if (done.kind === 'gone') return showUnclaimed(ctx, 'used');
    if (done.kind === 'name-refused')
      return showPassword(ctx, claimed, typedName, { signInName: 'error.signInNameUnsuitable' }, 422);
    const href = await goOn(ctx, parts, { ...done, shared }, claimed.interactionUid);
    // Whoever loads the page anew is shown the code again: the claim is kept until they go on.
    if (done.recoveryCode !== null) return showCode(ctx, done.recoveryCode, href);
    cookies.clear(ctx, 'claim');
    ctx.redirect(href);
  });
}
