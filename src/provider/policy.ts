import { errors, interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { browserName } from '../sessions/browser-name.js';
import { deviceOf } from '../sessions/session-life.js';

const { Check, Prompt, base } = interactionPolicy;

/** The assurance levels there are, weakest first: an app that asks for one is content with any stronger one. */
export const acrRanks = ['urn:parent-access:acr:password'] as const;

/** Pages of ours between the sign-in and the app, in this order. */
const pendingPrompts = ['terms', 'news', 'address'] as const;
export type PendingPrompt = (typeof pendingPrompts)[number];

/** What the policy asks of the rooms below. */
export interface PolicyQuestions {
  /** What the person is to be shown before the way goes on. */
  pending(accountId: string): Promise<Record<PendingPrompt, boolean>>;
}

function rank(acr: string | undefined): number {
  return acrRanks.findIndex((known) => known === acr);
}

/** The levels an app says it cannot do without (OpenID Connect Core §5.5.1.1); `acr_values` alone are a wish. */
function essentialAcrs(ctx: KoaContextWithOIDC): string[] {
  const request: unknown = ctx.oidc.claims?.id_token?.['acr'];
  if (typeof request !== 'object' || request === null || !('essential' in request) || request.essential !== true)
    return [];
  if ('values' in request && Array.isArray(request.values))
    return request.values.filter((value) => typeof value === 'string');
  return 'value' in request && typeof request.value === 'string' ? [request.value] : [];
}

/** The one ranked check of assurance: step up where a stronger sign-in exists, a clear refusal where none does. */
function assurance(): InstanceType<typeof Check> {
  return new Check('assurance', 'the requested assurance needs a new sign-in', 'login_required', (ctx) => {
    const wanted = essentialAcrs(ctx);
    if (wanted.length === 0) return Check.NO_NEED_TO_PROMPT;
    const reachable = wanted.map((acr) => rank(acr)).filter((found) => found >= 0);
    if (reachable.length === 0) {
      throw new errors.CustomOIDCProviderError(
        'unmet_authentication_requirements',
        'none of the essential acr values can be reached here',
      );
    }
    return rank(ctx.oidc.acr) >= Math.min(...reachable) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  });
}

/** Whether an app may know anything of the person of a request's session; of nobody there is nothing to know. */
export type MayKnow = (ctx: KoaContextWithOIDC) => Promise<boolean>;

/**
 * Asks for nothing: a vendor's app to which the person allows nothing gets one answer to whatever it asks silently. By a hint, a subject or an
 * age it could else recognise somebody whom it knew once.
 */
function nothingUnasked(mayKnow: MayKnow): InstanceType<typeof Check> {
  return new Check('nothing_unasked', 'never prompts', 'consent_required', async (ctx) => {
    if (ctx.oidc.promptPending('none') && !(await mayKnow(ctx))) {
      throw new errors.ConsentRequired('the person has to be asked');
    }
    return Check.NO_NEED_TO_PROMPT;
  });
}

/**
 * Asks for nothing: takes what the library does not carry from the sign-in just made to the session: whose computer it is, on
 * which the session's life depends, the generation of the account it was proved in, and the browser.
 */
function factsOfLogin(): InstanceType<typeof Check> {
  return new Check('facts_of_login', 'never prompts', 'login_required', (ctx) => {
    const { result, session } = ctx.oidc;
    if (result?.login !== undefined && session !== undefined) {
      const { device, generation } = result.login;
      Object.assign(session, { device: deviceOf(device), generation, browser: browserName(ctx.get('User-Agent')) });
    }
    return Check.NO_NEED_TO_PROMPT;
  });
}

/**
 * What stands between "Sign in" and the way back, in this order: login, terms, news, a changed address, consent. The library's own two acr
 * checks give way to the ranked one.
 */
export function policy(questions: PolicyQuestions, mayKnow: MayKnow): ReturnType<typeof base> {
  const prompts = base();
  const login = prompts.get('login');
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(nothingUnasked(mayKnow));
  login?.checks.add(factsOfLogin());
  login?.checks.add(assurance());
  // One question a request, however many of the prompts ask it.
  const asked = new WeakMap<object, ReturnType<PolicyQuestions['pending']>>();
  const pending = (ctx: KoaContextWithOIDC, accountId: string) => {
    const known = asked.get(ctx) ?? questions.pending(accountId);
    asked.set(ctx, known);
    return known;
  };
  pendingPrompts.forEach((name, index) => {
    const check = new Check(`${name}_pending`, `${name} is to be shown`, 'interaction_required', async (ctx) => {
      const { accountId } = ctx.oidc.session ?? {};
      // What was just passed is not shown again in the same sign-in.
      if (accountId === undefined || ctx.oidc.result?.[name] !== undefined) return Check.NO_NEED_TO_PROMPT;
      return (await pending(ctx, accountId))[name];
    });
    prompts.add(new Prompt({ name, requestable: false }, check), 1 + index);
  });
  return prompts;
}
