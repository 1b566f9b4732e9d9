import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { identifierKey } from '../../src/accounts/account.js';
import type { PasswordNotice } from '../../src/accounts/change-password.js';
import { knownDevice } from '../../src/accounts/known-device.js';
import type { PasswordHasher } from '../../src/accounts/password-hasher.js';
import { passwordProblem } from '../../src/accounts/password-rules.js';
import { recover, recoveryNeedsCode } from '../../src/accounts/recover.js';
import { claimLink, claimProblem, claimedBy, placeRequest } from '../../src/accounts/requests.js';
import type { ClaimedRequest, LinkProblem } from '../../src/accounts/requests.js';
import type { RecordEvent } from '../../src/audit/audit.js';
import { field, parameter } from '../../src/http/form.js';
import { Throttled } from '../../src/http/throttle.js';
import type { Throttle } from '../../src/http/throttle.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import { passwordErrors } from '../../src/ui/password-errors.js';
import { localeOf } from '../../src/ui/reply.js';
import { values } from '../../src/values.js';
import type { InteractionParts } from '../entry.js';
import { goOn } from '../finish.js';
import { nameBrowser, nameNextPress, pressedAs } from '../left-unfinished.js';
import { LinkProblemPage } from '../link-problem.js';
import { allowReturn } from '../return-policy.js';
import { knownInteraction, query } from '../request-origin.js';
import { NewPasswordPage, RecoverLinkPage, RecoverPage, RecoverWaitingPage } from './page.js';

export interface RecoverParts extends InteractionParts {
  jobs: Jobs;
  hasher: PasswordHasher;
  /** Counts the passwords that are hashed for one letter, by its request's id. */
  perLetter: Throttle;
  audit: RecordEvent;
  /** `known`: of an address, from one device that its owner used before; `allKnown`: from all of these together. */
  throttles: { address: Throttle; known: Throttle; allKnown: Throttle; source: Throttle };
  secretsKey: Uint8Array;
  /** Posts the letter that tells the owner of a changed password. */
  notice: PasswordNotice;
  /** Lets what was ended be told to the apps at once. */
  tellApps(): void;
}

/**
 * Counts a recovery. Each device that its owner used before has a count of its own, where it is, so that neither strangers who use up
 * the address's own, or that of the home's one source, nor who signed in once elsewhere, or copied its cookie and asks from elsewhere, keep
 * the owner out there. Beyond it, and beyond what all such devices
 * have together, it is a stranger.
 *
 * @throws Throttled
 */
async function spendRecovery(
  parts: RecoverParts,
  who: string,
  source: string,
  deviceCookie: string | undefined,
): Promise<void> {
  // A counter of its own, and not a key beside the other's: a stranger may type whatever the key is.
  const { address, known, allKnown, source: perSource } = parts.throttles;
  const device = knownDevice(parts.secretsKey, deviceCookie, who);
  if (device !== null) {
    try {
      await known.spend(`${device} ${source} ${who}`);
      return await allKnown.spend(who);
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
    }
  }
  await perSource.spend(source);
  await address.spend(who);
}

/** `/recover`: a new password by the mailbox that the account proved; the same answer for all. */
export function recoverRoutes(router: RouterInstance, parts: RecoverParts): void {
  const { reply, cookies, db, clock } = parts;
  const signInHref = (interaction: string): string =>
    interaction === '' ? '/sign-in' : `/interaction/${encodeURIComponent(interaction)}`;

  const showForm = (
    ctx: Context,
    identifier: string,
    errors: Parameters<typeof RecoverPage>[0]['errors'],
    status = 200,
  ): void => {
    const interaction = parameter(ctx, 'interaction');
    const path = `/recover${query(interaction)}`;
    reply(
      ctx,
      RecoverPage,
      { action: path, values: { identifier }, errors, signInHref: signInHref(interaction) },
      { status, path },
    );
  };

  const showProblem = (ctx: Context, reason: LinkProblem): void =>
    reply(
      ctx,
      LinkProblemPage,
      { reason, againHref: '/recover', signInHref: '/sign-in' },
      { status: 410, path: '/recover' },
    );

  // Where the answer was lost, or the form came twice, the password is changed.
  const showUnclaimed = async (ctx: Context): Promise<void> =>
    showProblem(ctx, await claimProblem(db, 'recovery', cookies.get(ctx, 'claim')));

  const showPassword = async (
    ctx: Context,
    claimed: ClaimedRequest,
    errors: Parameters<typeof NewPasswordPage>[0]['errors'],
    status = 200,
  ): Promise<void> => {
    const needsRecoveryCode = claimed.accountId !== null && (await recoveryNeedsCode(db, claimed.accountId));
    reply(
      ctx,
      NewPasswordPage,
      {
        action: '/recover/password',
        request: claimed.id,
        errors,
        needsRecoveryCode,
        minimumLength: values.passwordLength,
      },
      { status, path: '/recover/password' },
    );
    allowReturn(ctx, parts.interactions.app(claimed.clientId));
  };

  const request = async (ctx: Context): Promise<ClaimedRequest | null> => {
    const claim = cookies.get(ctx, 'claim');
    return claim === undefined ? null : claimedBy(db, clock, 'recovery', claim);
  };

  router.get('/recover', async (ctx) => showForm(ctx, '', {}));

  router.post('/recover', async (ctx) => {
    const identifier = field(ctx, 'identifier').trim().slice(0, 320);
    if (identifier === '') return showForm(ctx, '', { identifier: 'error.identifierMissing' }, 422);
    await spendRecovery(
      parts,
      identifierKey(identifier),
      String(ctx.state['source']),
      cookies.getUnsigned(ctx, 'device'),
    );
    const origin = await knownInteraction(ctx, parts);
    const browser = nameBrowser(ctx, cookies);
    await placeRequest(db, parts.jobs, clock, {
      kind: 'recovery',
      browser,
      identifier,
      phone: null,
      locale: localeOf(ctx),
      ...origin,
    });
    ctx.redirect(`/recover/sent${query(origin.interactionUid ?? '')}`);
  });

  router.get('/recover/sent', async (ctx) => {
    const interaction = parameter(ctx, 'interaction');
    reply(
      ctx,
      RecoverWaitingPage,
      { signInHref: signInHref(interaction), againHref: `/recover${query(interaction)}` },
      { path: ctx.url },
    );
  });

  router.get('/recover/link', async (ctx) => {
    const token = parameter(ctx, 'token').slice(0, 100);
    await nameNextPress(ctx, parts);
    reply(ctx, RecoverLinkPage, { action: '/recover/link', token }, { path: ctx.url });
  });

  router.post('/recover/link', async (ctx) => {
    const token = field(ctx, 'token').slice(0, 100);
    const browser = pressedAs(ctx, cookies);
    // Somebody was done here since the page was shown, or no cookies are kept: what is pressed would end with nobody. The link stays good.
    if (browser === undefined) return showProblem(ctx, 'expired');
    const claimed = await claimLink(db, clock, 'recovery', token, browser, cookies.get(ctx, 'claim') ?? null);
    if ('problem' in claimed) return showProblem(ctx, claimed.problem);
    cookies.set(ctx, 'claim', claimed.claim, values.claim);
    ctx.redirect('/recover/password');
  });

  router.get('/recover/password', async (ctx) => {
    const claimed = await request(ctx);
    if (claimed === null) return showUnclaimed(ctx);
    await showPassword(ctx, claimed, {});
  });

  router.post('/recover/password', async (ctx) => {
    const claimed = await request(ctx);
    if (claimed === null) return showUnclaimed(ctx);
    // A link of somebody else was pressed here since this form was drawn: what was typed is not for their account.
    const drawnFor = field(ctx, 'request');
    if (drawnFor !== claimed.id) return showProblem(ctx, 'expired');
    const password = field(ctx, 'password');
    const shared = field(ctx, 'shared') !== '';
    const weak = passwordProblem(password, [claimed.identifier ?? '']);
    if (weak !== null) return showPassword(ctx, claimed, { password: passwordErrors[weak] }, 422);
    await parts.perLetter.spend(claimed.id);
    const done = await recover(db, clock, parts.hasher, parts.audit, parts.notice, {
      request: claimed,
      password,
      shared,
      recoveryCode: field(ctx, 'recoveryCode').slice(0, 60),
    });
    parts.tellApps();
    if (done.kind === 'gone') return showProblem(ctx, 'used');
    if (done.kind === 'code-refused')
      return showPassword(ctx, claimed, { recoveryCode: 'error.recoveryCodeWrong' }, 422);
    const href = await goOn(ctx, parts, { ...done, shared }, claimed.interactionUid);
    cookies.clear(ctx, 'claim');
    ctx.redirect(href);
  });
}
