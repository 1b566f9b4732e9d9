import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { claimCode, placeRequest } from '../../src/accounts/requests.js';
import { normaliseEmail } from '../../src/families/email.js';
import { normalisePhone } from '../../src/families/phone.js';
import { field, parameter } from '../../src/http/form.js';
import { Throttled } from '../../src/http/throttle.js';
import type { Throttle } from '../../src/http/throttle.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import { localeOf } from '../../src/ui/reply.js';
import { values } from '../../src/values.js';
import type { InteractionParts } from '../entry.js';
import { nameBrowser, nameNextPress, pressedAs } from '../left-unfinished.js';
import { knownInteraction, query } from '../request-origin.js';
import { RegisterPage, WaitingPage } from './page.js';

/** When a SIS was last loaded and loads next: the same for everybody who waits. */
export interface ShownFeed {
  label: string;
  loadedAt: Date | null;
  nextAt: Date | null;
}

export interface RegisterParts extends InteractionParts {
  jobs: Jobs;
  secretsKey: Uint8Array;
  feeds(): Promise<ShownFeed[]>;
  throttles: { address: Throttle; source: Throttle; code: Throttle };
}

type RegisterErrors = Parameters<typeof RegisterPage>[0]['errors'];

/**
 * `/register`: e-mail and phone, then one waiting page for all. `/register/code`: the mailed code, in this browser.
 */
export function registerRoutes(router: RouterInstance, parts: RegisterParts): void {
  const { reply, cookies, db, clock } = parts;

  const showForm = (
    ctx: Context,
    typed: { email: string; phone: string },
    errors: RegisterErrors,
    status = 200,
  ): void => {
    const interaction = parameter(ctx, 'interaction');
    reply(
      ctx,
      RegisterPage,
      {
        action: `/register${query(interaction)}`,
        values: typed,
        errors,
        signInHref: interaction === '' ? '/sign-in' : `/interaction/${encodeURIComponent(interaction)}`,
      },
      { status, path: `/register${query(interaction)}` },
    );
  };

  const showWaiting = async (
    ctx: Context,
    errors: Parameters<typeof WaitingPage>[0]['errors'],
    status = 200,
    waitMinutes?: number,
  ): Promise<void> => {
    const interaction = parameter(ctx, 'interaction');
    reply(
      ctx,
      WaitingPage,
      {
        action: `/register/code${query(interaction)}`,
        errors,
        waitMinutes,
        feeds: await parts.feeds(),
        signInHref: interaction === '' ? '/sign-in' : `/interaction/${encodeURIComponent(interaction)}`,
        againHref: `/register${query(interaction)}`,
      },
      { status, path: `/register/sent${query(interaction)}` },
    );
  };

  router.get('/register', async (ctx) => showForm(ctx, { email: '', phone: '' }, {}));
  router.get('/register/sent', async (ctx) => showWaiting(ctx, {}));

  router.post('/register', async (ctx) => {
    const typed = { email: field(ctx, 'email').slice(0, 320), phone: field(ctx, 'phone').slice(0, 60) };
    const email = normaliseEmail(typed.email);
    const phone = normalisePhone(typed.phone);
    const errors: RegisterErrors = {
      ...('email' in email
        ? {}
        : { email: typed.email.trim() === '' ? ('error.emailMissing' as const) : ('error.emailInvalid' as const) }),
      ...(phone !== null
        ? {}
        : { phone: typed.phone.trim() === '' ? ('error.phoneMissing' as const) : ('error.phoneInvalid' as const) }),
    };
    if (!('email' in email) || phone === null) return showForm(ctx, typed, errors, 422);
    await parts.throttles.source.spend(String(ctx.state['source']));
    await parts.throttles.address.spend(email.email);

    const origin = await knownInteraction(ctx, parts);
    const browser = nameBrowser(ctx, cookies);
    await nameNextPress(ctx, parts);
    await placeRequest(db, parts.jobs, clock, {
      kind: 'registration',
      browser,
      identifier: email.email,
      phone,
      locale: localeOf(ctx),
      ...origin,
    });
    ctx.redirect(`/register/sent${query(origin.interactionUid ?? '')}`);
  });

  router.post('/register/code', async (ctx) => {
    const code = field(ctx, 'code').trim().slice(0, 40);
    if (code === '') return showWaiting(ctx, { code: 'error.codeMissing' }, 422);
    const browser = cookies.get(ctx, 'browser');
    try {
      await parts.throttles.code.spend(String(ctx.state['source']));
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return showWaiting(ctx, {}, 429, Math.ceil(error.retryAfter / 60));
    }
    const claimed =
      browser === undefined
        ? { problem: 'over' as const }
        : await claimCode(
            db,
            clock,
            parts.secretsKey,
            { asked: browser, presses: pressedAs(ctx, cookies) ?? browser },
            code,
          );
    if ('problem' in claimed) {
      return showWaiting(ctx, { code: claimed.problem === 'over' ? 'error.codeOver' : 'error.codeWrong' }, 422);
    }
    cookies.set(ctx, 'claim', claimed.claim, values.claim);
    ctx.redirect('/activate/password');
  });
}
