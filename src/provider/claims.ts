import { createHmac } from 'node:crypto';
import type { Account, AccountClaims } from 'oidc-provider';
import { consentFacts } from './consent-facts.js';
import type { AppRegistration, StudentFact } from './app-registration.js';

/** A child as the entitlement rule gives it; `null` is withheld. */
export interface EntitledChild {
  studentId: string;
  givenName: string;
  familyName: string;
  grade: string | null;
  schoolName: string | null;
  relation: string;
  records: boolean;
  pickup: boolean;
  meals: boolean;
}

/** A person as an app may come to know them. */
export interface Person {
  accountId: string;
  givenName: string;
  familyName: string;
  locale: string;
  email: string;
  /** Only for an unshared, proven mailbox that was not given to another person. */
  emailVerified: boolean;
  phone: string | null;
  updatedAt: Date;
}

/** Where claims come from; asked at the moment of the request, never before. */
export interface ClaimSources {
  /** Whether there is such an account and it is not disabled: asked at every endpoint. */
  exists(accountId: string): Promise<boolean>;
  /** The person, or null as above: asked only where something of it is told. */
  person(accountId: string): Promise<Person | null>;
  children(accountId: string): Promise<EntitledChild[]>;
  /** Whether a session was begun on a shared computer. */
  onSharedComputer(sessionUid: string): Promise<boolean>;
  /** Whether the person's word covers these facts. */
  consented(accountId: string, clientId: string, facts: readonly string[]): Promise<boolean>;
}

/** The claims behind each scope; `students` is the district's own. */
export const claimsOfScope = {
  openid: ['sub'],
  profile: ['name', 'given_name', 'family_name', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  students: ['students'],
};

/** Which claims an app may receive at all: those of its registered scopes, whatever a request asks for. */
export function registeredClaims(app: AppRegistration): Set<string> {
  const scopes = new Set(app.scope.split(' '));
  return new Set(
    Object.entries(claimsOfScope)
      .filter(([scope]) => scopes.has(scope))
      .flatMap(([, claims]) => claims),
  );
}

/**
 * A pairwise identifier (OpenID Connect Core §8.1): the same for one sector, unlinkable between sectors.
 *
 * @param sector the host that groups the app's redirect addresses
 */
export function pairwise(key: string, sector: string, identifier: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(`${sector}\n${identifier}`).digest('base64url');
}

const factOf: Record<StudentFact, (child: EntitledChild) => Record<string, unknown>> = {
  name: (child) => ({ name: `${child.givenName} ${child.familyName}`.trim() }),
  school: (child) => (child.schoolName === null ? {} : { school: child.schoolName }),
  grade: (child) => (child.grade === null ? {} : { grade: child.grade }),
  relation: (child) => ({ relation: child.relation }),
  records: (child) => ({ records: child.records }),
  pickup: (child) => ({ pickup: child.pickup }),
  meals: (child) => ({ meals: child.meals }),
};

/** The `students` claim: for each child an opaque, stable id and the facts the app is registered for. */
function studentsClaim(app: AppRegistration, children: EntitledChild[], id: (studentId: string) => string): unknown[] {
  return children.map((child) =>
    Object.assign({ id: id(child.studentId) }, ...app.student_facts.map((fact) => factOf[fact](child))),
  );
}

const personal = new Set([...claimsOfScope.profile, ...claimsOfScope.email, ...claimsOfScope.phone]);

/**
 * The library's account: claims are computed when asked, cut to the app's registration. Child data leaves only through
 * userinfo, never in an ID token.
 */
export function oidcAccount(
  accountId: string,
  sources: ClaimSources,
  app: AppRegistration,
  childId: (studentId: string) => string,
  sessionUid?: string,
): Account {
  return {
    accountId,
    async claims(use, scope, claims) {
      // With conformIdTokenClaims an ID token tells only what was asked for by name.
      const given: AccountClaims = { sub: accountId };
      if (use === 'id_token' && sessionUid !== undefined && (await sources.onSharedComputer(sessionUid))) {
        given['shared_computer'] = true;
      }
      if (use === 'id_token' && Object.keys(claims).every((name) => !personal.has(name))) return given;
      // What a vendor is registered for may have grown since the parent was asked.
      if (app.party === 'vendor' && !(await sources.consented(accountId, app.client_id, consentFacts(app))))
        return given;
      const person = await sources.person(accountId);
      if (person === null) return given;
      const allowed = registeredClaims(app);
      const known: Record<string, unknown> = {
        name: `${person.givenName} ${person.familyName}`.trim(),
        given_name: person.givenName,
        family_name: person.familyName,
        locale: person.locale,
        updated_at: Math.floor(person.updatedAt.getTime() / 1000),
        email: person.email,
        email_verified: person.emailVerified,
        ...(person.phone === null ? {} : { phone_number: person.phone, phone_number_verified: false }),
      };
      const wanted = scope.split(' ').includes('students') || 'students' in claims;
      if (use === 'userinfo' && wanted && allowed.has('students')) {
        known['students'] = studentsClaim(app, await sources.children(accountId), childId);
      }
      for (const [name, value] of Object.entries(known)) if (allowed.has(name)) given[name] = value;
      return given;
    },
  };
}
