import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Context } from 'koa';
import type { Clock } from '../database/clock.js';
import { newSecret, secretHash } from '../database/secrets.js';
import type { PastRequest } from '../sessions/artifacts.js';
import type { AppRegistration } from './app-registration.js';
import type { EndSession } from './configuration.js';
import type { SessionStore } from '../sessions/session-store.js';
import { secondsToLive } from '../sessions/session-life.js';
import type { Device } from '../sessions/session-life.js';
import { consentFacts } from './consent-facts.js';
import { endHere } from './opened-here.js';
import type { Finished } from './opened-here.js';
import type { PendingPrompt } from './policy.js';

/** An interaction as the pages see it. */
export interface InteractionDetails {
  uid: string;
  prompt: 'login' | 'terms' | 'consent' | (string & {});
  app: AppRegistration | null;
  /** The account that is signed in already, if any. */
  accountId: string | null;
  loginHint: string | null;
  uiLocales: string | null;
}

/** A sign-in that was just proved. */
export interface ProvenLogin {
  accountId: string;
  /** RFC 8176 values. */
  amr: string[];
  device: Device;
  /** The account's generation when the proof began: one from before its sessions ended is worth nothing. */
  generation: number;
}

/** What pages may do with the provider: nothing else of the library is seen above this floor. */
export interface Interactions {
  /** @returns null when there is none for this browser: expired, finished, another browser's, or of a session that this one is not in */
  details(ctx: Context): Promise<InteractionDetails | null>;
  /** Each of these answers with the address to go on to. */
  login(ctx: Context, login: ProvenLogin): Promise<string>;
  passed(ctx: Context, prompt: PendingPrompt): Promise<string>;
  consent(ctx: Context): Promise<string>;
  cancel(ctx: Context): Promise<string>;
  /** The session of this browser: its uid and account, and the cookie id that it was found by; null when nobody is signed in. */
  session(ctx: Context): Promise<{ uid: string; accountId: string; signedInAt: Date; cookie: string } | null>;
  /** The digest of the mark that was left in the browser which finished an interaction's page last; null when none waits to go on. */
  finishedAs(uid: string): Promise<string | null>;
  /** Whether this browser holds the cookie of that interaction, live or not. */
  holds(ctx: Context, uid: string): boolean;
  /** Start over from what was stored: the `/authorize` address of an interaction that the app has no answer to yet. */
  restart(uid: string): Promise<string | null>;
  /**
   * Ends this browser's session with all it opened, and what else was opened here whose answer is still on its way (`endHere`); the
   * apps that were reached are told after. No session is no fault.
   *
   * @returns by what the confirmations are asked for
   */
  end(ctx: Context, because: 'signed-out' | 'done' | 'switched'): Promise<string | null>;
  /**
   * Gives this browser's session a new cookie. All before are good until this browser shows the new one: who copied one of them is out
   * then, with whatever they got by it. No session is no fault.
   *
   * @param proven whether the password was shown with this request; else nothing comes of a cookie that is outdated already
   */
  renew(ctx: Context, proven: boolean): Promise<void>;
  /** Whether an interaction began within the last minute and is not over, whoever asks. */
  isNew(uid: string): Promise<boolean>;
  /** A registered app by its client id. */
  app(clientId: string | null): AppRegistration | null;
  /** The app an interaction was for, whoever asks. */
  appOf(uid: string): Promise<AppRegistration | null>;
}

/** Remembers in this browser, by a secret mark, that it finished a page of an interaction, and may go on from it. */
export type NoteFinished = (ctx: Context, uid: string, mark: string) => void;

/** Writes what a person allowed a vendor's app. */
export type GiveConsent = (given: {
  session: { uid: string; accountId: string };
  clientId: string;
  facts: readonly string[];
}) => Promise<void>;

const acr = 'urn:parent-access:acr:password';

export function interactions(
  provider: Provider,
  apps: ReadonlyMap<string, AppRegistration>,
  endSession: EndSession,
  past: (uid: string) => Promise<PastRequest | null>,
  giveConsent: GiveConsent,
  noteFinished: NoteFinished,
  finishedHere: (ctx: Context) => readonly Finished[],
  outdateOthers: SessionStore['outdateOthers'],
  clock: Clock,
): Interactions {
  const find = async (ctx: Context) => {
    try {
      const found = await provider.interactionDetails(ctx.req, ctx.res);
      if (found.session === undefined) return found;
      // The library asks only whether that session lives. Whoever copied its cookie may have begun this before the session got a new one.
      const { uid } = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      return uid === found.session.uid ? found : null;
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return null;
      throw error;
    }
  };
  const finish = async (
    ctx: Context,
    result: Parameters<Provider['interactionResult']>[2],
    mergeWithLastSubmission = true,
  ): Promise<string> => {
    // Of several browsers that have its cookies the last to finish the page goes on, and no other in its name.
    const mark = newSecret();
    const marked = { ...result, finishedAs: secretHash(mark) };
    const way = await provider.interactionResult(ctx.req, ctx.res, marked, { mergeWithLastSubmission });
    noteFinished(ctx, (await provider.interactionDetails(ctx.req, ctx.res)).uid, mark);
    return way;
  };
  const appFor = (clientId: unknown): AppRegistration | null =>
    typeof clientId === 'string' ? (apps.get(clientId) ?? null) : null;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

  return {
    async details(ctx) {
      const found = await find(ctx);
      if (found === null) return null;
      const { uid, prompt, params, session } = found;
      const app = appFor(params['client_id']);
      return {
        uid,
        prompt: prompt.name,
        app,
        accountId: session?.accountId ?? null,
        loginHint: text(params['login_hint']),
        uiLocales: text(params['ui_locales']),
      };
    },
    async login(ctx, { accountId, amr, device, generation }) {
      const found = await provider.interactionDetails(ctx.req, ctx.res);
      const before = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      // Somebody else was signed in on this browser, or the computer is called shared only now: the interaction forgets the
      // session before, which ends whole, with the refresh tokens and open pages that it had.
      if (before.accountId !== undefined && (before.accountId !== accountId || device === 'shared')) {
        delete found.session;
        delete found.grantId;
        // What was accepted here and did not go on ends with that session, but not this sign-in.
        delete found.result;
        await found.persist();
        await endSession({ session: before.uid }, 'switched', before.accountId);
      }
      return finish(ctx, {
        login: {
          accountId,
          amr,
          acr,
          ts: Math.floor(clock().getTime() / 1000),
          device,
          generation,
          remember: device === 'kept',
        },
      });
    },
    passed: (ctx, prompt) => finish(ctx, { [prompt]: {} }),
    async consent(ctx) {
      const { params, session, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
      const app = appFor(params['client_id']);
      if (app === null || session === undefined || prompt.name !== 'consent')
        throw new errors.InvalidRequest('no consent is asked');
      // The permission itself is what counts; the grant is made from it, and from the registration.
      if (app.party === 'vendor') {
        const { uid, accountId } = session;
        await giveConsent({ session: { uid, accountId }, clientId: app.client_id, facts: consentFacts(app) });
      }
      return finish(ctx, { consent: {} });
    },
    cancel: (ctx) =>
      finish(ctx, { error: 'access_denied', error_description: 'the person went back to the app' }, false),
    async session(ctx) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      if (session.accountId === undefined || session.loginTs === undefined) return null;
      const { uid, accountId, loginTs, jti } = session;
      return { uid, accountId, signedInAt: new Date(loginTs * 1000), cookie: jti };
    },
    async finishedAs(uid) {
      const found = await provider.Interaction.find(uid);
      return text(found?.result?.['finishedAs']);
    },
    holds(ctx, uid) {
      const { cookies } = provider.createContext(ctx.req, ctx.res);
      return ['interaction', 'resume'].some((type) => cookies.get(provider.cookieName(type), { signed: true }) === uid);
    },
    async restart(uid) {
      const found = await past(uid);
      if (found === null || found.answered) return null;
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(found.params)) {
        // A pushed request (RFC 9126) is used up; what it held stands among the parameters.
        if (typeof value === 'string' && name !== 'request_uri') query.set(name, value);
      }
      return `/authorize?${query}`;
    },
    async end(ctx, because) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      return endHere(provider, endSession, finishedHere(ctx), session, because);
    },
    async renew(ctx, proven) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      if (session.accountId === undefined) return;
      session.resetIdentifier();
      const seconds = secondsToLive(session, clock());
      await session.save(seconds);
      // Said in two tabs at once, or by a copy: the browser has shown the other's cookie, and keeps it.
      if (!(await outdateOthers(session.uid, session.jti, proven))) return;
      const kept = session.transient === true ? {} : { maxAge: seconds * 1000 };
      const secure = ctx.cookies.secure;
      const flags = { httpOnly: true, sameSite: 'lax', secure, signed: true, path: '/', overwrite: true } as const;
      ctx.cookies.set(provider.cookieName('session'), session.jti, { ...flags, ...kept });
    },
    async isNew(uid) {
      const found = await past(uid);
      return found !== null && !found.answered && found.beganAt > Date.now() / 1000 - 60;
    },
    app: appFor,
    async appOf(uid) {
      const found = await past(uid);
      return found === null ? null : appFor(found.params['client_id']);
    },
  };
}
