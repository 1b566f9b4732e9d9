import type { AppRegistration, StudentFact } from './app-registration.js';

/** A piece of data that a vendor's app may receive, as a parent is asked about it. */
export type ConsentFact = 'name' | 'email' | 'phone' | 'students' | `students.${StudentFact}` | 'offline';

/** Without a fact an app still learns which children there are. */
function studentFacts(facts: readonly StudentFact[]): ConsentFact[] {
  return facts.length === 0 ? ['students'] : facts.map((fact) => `students.${fact}` as const);
}

/**
 * Everything that an app may receive by its registration, whatever a single request asks for: a permission that named
 * less would let the next request take more unseen.
 */
export function consentFacts(app: AppRegistration): ConsentFact[] {
  const scopes = new Set(app.scope.split(' '));
  return [
    ...(scopes.has('profile') ? (['name'] as const) : []),
    ...(scopes.has('email') ? (['email'] as const) : []),
    ...(scopes.has('phone') ? (['phone'] as const) : []),
    ...(scopes.has('students') ? studentFacts(app.student_facts) : []),
    ...(app.grant_types.includes('refresh_token') ? (['offline'] as const) : []),
  ];
}
