import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { identifierKey } from '../../src/accounts/account.js';
import { rememberDevice } from '../../src/accounts/known-device.js';
import type { Accepted, SignIn } from '../../src/accounts/sign-in.js';
import { field } from '../../src/http/form.js';
import { Throttled } from '../../src/http/throttle.js';
import type { InteractionDetails } from '../../src/provider/interactions.js';
import { deviceOf } from '../../src/sessions/session-life.js';
import type { Device } from '../../src/sessions/session-life.js';
import { localeOf } from '../../src/ui/reply.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts } from '../entry.js';
import { forgetUnfinished } from '../left-unfinished.js';
import { allowReturn } from '../return-policy.js';
import { appName, isPortal } from '../way-back.js';
import { values } from '../../src/values.js';
import { markComputer } from '../shared-computer.js';
import { LoginPage } from './page.js';

export interface LoginParts extends InteractionParts {
  signIn: SignIn;
  secretsKey: Uint8Array;
}

interface Shown {
  identifier: string;
  device?: Device;
  errors?: Parameters<typeof LoginPage>[0]['errors'];
  minutes?: number;
  status?: number;
}

/** Draws the sign-in page of an interaction. */
export function showLogin(parts: LoginParts) {
  return async (
    ctx: Context,
    details: InteractionDetails,
    shown: Shown = { identifier: details.loginHint ?? '' },
  ): Promise<void> => {
    const { uid, app } = details;
    const locale = localeOf(ctx, details.uiLocales);
    const named = app === null || isPortal(app) ? null : appName(app, locale);
    parts.reply(
      ctx,
      LoginPage,
      {
        action: `/interaction/${uid}/login`,
        values: { identifier: shown.identifier, ...(shown.device === undefined ? {} : { device: shown.device }) },
        errors: shown.errors ?? {},
        appName: named,
        registerHref: `/register?interaction=${uid}`,
        recoverHref: `/recover?interaction=${uid}`,
        waitMinutes: shown.minutes,
        cancelAction: named === null ? null : `/interaction/${uid}/cancel`,
      },
      { status: shown.status ?? 200, path: `/interaction/${uid}`, uiLocales: details.uiLocales },
    );
    allowReturn(ctx, app);
  };
}

/** `POST /interaction/:uid/login`: e-mail or sign-in name, and password. */
export function loginRoutes(router: RouterInstance, parts: LoginParts): void {
  const show = showLogin(parts);
  router.post('/interaction/:uid/login', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'login');
    if (details === null) return;
    const identifier = field(ctx, 'identifier').trim().slice(0, 320);
    const password = field(ctx, 'password');
    const device = deviceOf(field(ctx, 'device'));
    if (identifier === '' || password === '') {
      return show(ctx, details, {
        identifier,
        device,
        status: 422,
        errors: {
          ...(identifier === '' ? { identifier: 'error.identifierMissing' as const } : {}),
          ...(password === '' ? { password: 'error.passwordMissing' as const } : {}),
        },
      });
    }
    let accepted: Accepted | null;
    try {
      accepted = await parts.signIn.check(
        identifier,
        password,
        String(ctx.state['source']),
        parts.cookies.getUnsigned(ctx, 'device'),
      );
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return show(ctx, details, { identifier, device, minutes: Math.ceil(error.retryAfter / 60), status: 429 });
    }
    if (accepted === null || accepted.disabled) {
      // Who knows the password may know that it opens nothing at this time, and where to ask.
      const reason = accepted === null ? ('error.signInWrong' as const) : ('error.accountDisabled' as const);
      return show(ctx, details, { identifier, device, errors: { password: reason }, status: 422 });
    }
    const { accountId, generation } = accepted;
    await forgetUnfinished(ctx, parts);
    markComputer(ctx, parts.cookies, device === 'shared');
    // A shared computer is not remembered as anybody's.
    if (device !== 'shared') {
      const remembered = rememberDevice(
        parts.secretsKey,
        parts.cookies.getUnsigned(ctx, 'device'),
        identifierKey(identifier),
      );
      parts.cookies.set(ctx, 'device', remembered, values.knownDevice);
    }
    ctx.redirect(await parts.interactions.login(ctx, { accountId, amr: ['pwd'], device, generation }));
  });
}
