import { errors, interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

const { Check, Prompt, base } = interactionPolicy;

/** The assurance levels there are, weakest first: an app that asks for one is content with any stronger one. */
export const acrRanks = ['urn:parent-access:acr:password'] as const;

/** What the policy asks of the rooms below. */
export interface PolicyQuestions {
  /** Whether the account has accepted the terms in force. */
  hasAcceptedTerms(accountId: string): Promise<boolean>;
}

function rank(acr: string | undefined): number {
  return acrRanks.findIndex((known) => known === acr);
}

/** The levels an app says it cannot do without (OpenID Connect Core §5.5.1.1); `acr_values` alone are a wish. */
function essentialAcrs(ctx: KoaContextWithOIDC): string[] {
  const request: unknown = ctx.oidc.claims?.id_token?.['acr'];
  if (typeof request !== 'object' || request === null || !('essential' in request) || request.essential !== true) return [];
  if ('values' in request && Array.isArray(request.values)) return request.values.filter((value) => typeof value === 'string');
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

/**
 * What stands between "Sign in" and the way back, in this order: login, terms, consent. The library's own two acr
 * checks give way to the ranked one.
 */
export function policy(questions: PolicyQuestions): ReturnType<typeof base> {
  const prompts = base();
  const login = prompts.get('login');
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(assurance());
  prompts.add(
    new Prompt(
      { name: 'terms', requestable: false },
      new Check('terms_not_accepted', 'the terms of use are to be accepted', 'interaction_required', async (ctx) => {
        const { accountId } = ctx.oidc.session ?? {};
        if (accountId === undefined) return Check.NO_NEED_TO_PROMPT;
        return !(await questions.hasAcceptedTerms(accountId));
      }),
    ),
    1,
  );
  return prompts;
}
