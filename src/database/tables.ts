import type { ColumnType, Generated } from 'kysely';
import type { FamilyTables } from '../families/tables.js';

/** A column read as a Date and written as a Date: every moment comes from the passed clock. */
type Moment = ColumnType<Date, Date, Date>;
type OptionalMoment = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** A jsonb column: written as JSON text, read parsed. */
type Json<T> = ColumnType<T, string, string>;

export interface AccountsTable {
  id: Generated<string>;
  email: string;
  email_proven_at: Moment;
  sign_in_name: string | null;
  recovery_code_hash: string | null;
  password_hash: string;
  password_changed_at: Moment;
  given_name: string;
  family_name: string;
  locale: string;
  terms_version: string | null;
  terms_accepted_at: OptionalMoment;
  /** When all sign-ins of before were ended last. */
  sessions_not_before: OptionalMoment;
  /** Counts those ends: a sign-in is good under the generation it was proved in. */
  session_generation: Generated<number>;
  disabled_at: OptionalMoment;
  disabled_as: 'suspended' | 'closed' | null;
  disabled_reason: string | null;
  created_at: Moment;
}

/** One try to register or to recover: written for everybody alike, decided by a job. */
export interface RequestsTable {
  id: Generated<string>;
  kind: 'registration' | 'recovery' | 'address';
  browser_hash: string;
  /** What was typed; forgotten as soon as the job has decided. */
  identifier: string | null;
  phone: string | null;
  locale: string;
  /** The app's request to come back to: client and parameters, kept for 24 hours. */
  client_id: string | null;
  interaction_uid: string | null;
  outcome: string | null;
  contact_id: string | null;
  account_id: string | null;
  token_hash: string | null;
  code_hash: string | null;
  code_tries: Generated<number>;
  created_at: Moment;
  expires_at: Moment;
  code_expires_at: Moment;
  /** The browser that pressed the button or typed the code: it alone goes on. */
  claimed_at: OptionalMoment;
  claim_hash: string | null;
  /** Of the browser that claimed it. */
  claim_browser: string | null;
  consumed_at: OptionalMoment;
  ended_at: OptionalMoment;
}

/** "This browser has just proved who it is": single use, five minutes, accepted by the next login prompt. */
export interface FreshProofsTable {
  id_hash: string;
  account_id: string;
  /** The browser stands on a shared computer, as its person said. */
  shared: Generated<boolean>;
  /** The digest of that browser's own random cookie. */
  browser: Generated<string | null>;
  created_at: Moment;
  expires_at: Moment;
  consumed_at: OptionalMoment;
}

/** What a person allowed a vendor's app. */
export interface ConsentsTable {
  account_id: string;
  client_id: string;
  facts: string[];
  given_at: Moment;
  revoked_at: OptionalMoment;
}

export interface AddressAnswersTable {
  account_id: string;
  email: string;
  used: boolean;
  answered_at: Moment;
}

export interface LettersSentTable {
  id: Generated<string>;
  kind: string;
  address_hash: string;
  sent_at: Moment;
}

export interface SessionsTable {
  uid: string;
  account_id: string | null;
  /** Whose computer it is, as the person said at sign-in. */
  device: Generated<'own' | 'kept' | 'shared'>;
  created_at: Moment;
  last_used_at: Moment;
  expires_at: Moment;
  /** A tombstone: no later save revives a revoked session. */
  revoked_at: OptionalMoment;
  revoked_because: string | null;
  /** The account's generation in which this sign-in was proved. */
  generation: Generated<number>;
  /** When its person proved who they are. */
  signed_in_at: OptionalMoment;
  /** The browser and the system it runs on, in coarse words. */
  browser: string | null;
}

export interface SessionAuthorizationsTable {
  session_uid: string;
  client_id: string;
  sid: string;
  grant_id: string;
  created_at: Moment;
}

export interface ArtifactsTable {
  kind: string;
  id_hash: string;
  uid: string | null;
  grant_id: string | null;
  account_id: string | null;
  client_id: string | null;
  user_code: string | null;
  payload: Json<Record<string, unknown>>;
  consumed_at: OptionalMoment;
  expires_at: OptionalMoment;
}

export interface ClientsTable {
  client_id: string;
  name: string;
  digest: string;
  first_seen_at: Moment;
  changed_at: Moment;
  disabled_at: OptionalMoment;
  backchannel_logout_uri: string | null;
  logout_alg: Generated<string>;
  /** The host that groups a vendor's addresses; null where the `sub` is public. */
  sector: string | null;
  reads_students: Generated<boolean>;
}

/** One end of one or more sessions, or of parts of them. */
export interface RevocationsTable {
  id: string;
  because: string;
  actor: string;
  account_id: string | null;
  created_at: Moment;
}

/** What one app is to be told of one end. */
export interface DeliveriesTable {
  id: Generated<string>;
  revocation_id: string;
  client_id: string;
  account_id: string;
  session_uid: string;
  sid: string;
  state: 'waiting' | 'confirmed' | 'refused' | 'given-up' | 'unreachable';
  tries: Generated<number>;
  created_at: Moment;
  next_try_at: Moment;
  settled_at: OptionalMoment;
}

export interface DeliveryTriesTable {
  delivery_id: string;
  number: number;
  tried_at: Moment;
  status: number | null;
  /** Null where the server ended in the middle of the try. */
  milliseconds: number | null;
  words: string | null;
}

export interface SigningKeysTable {
  kid: string;
  use: 'sig' | 'cookie' | 'pairwise';
  alg: string;
  state: 'next' | 'current' | 'previous';
  /** The private key as a compact JWE under SECRETS_KEY. */
  sealed: string;
  /** A `next` key is published from here on. */
  created_at: Moment;
  became_current_at: OptionalMoment;
  became_previous_at: OptionalMoment;
}

/** What the database knows of an app's secret, which itself stands as a digest in the clients file. */
export interface ClientSecretsTable {
  client_id: string;
  sha256: string;
  /** Written at most once a minute. */
  last_used_at: OptionalMoment;
  /** Not good from here on, whatever the file says. */
  ends_at: OptionalMoment;
}

export interface AuditEventsTable {
  id: Generated<string>;
  occurred_at: Moment;
  kind: string;
  actor: string;
  subject: string | null;
  details: Json<Record<string, unknown>>;
}

export interface ThrottlesTable {
  key: string;
  points: number;
  expire: string | null;
}

export interface Tables extends FamilyTables {
  accounts: AccountsTable;
  account_requests: RequestsTable;
  fresh_proofs: FreshProofsTable;
  consents: ConsentsTable;
  address_answers: AddressAnswersTable;
  letters_sent: LettersSentTable;
  sessions: SessionsTable;
  session_authorizations: SessionAuthorizationsTable;
  artifacts: ArtifactsTable;
  clients: ClientsTable;
  revocations: RevocationsTable;
  deliveries: DeliveriesTable;
  delivery_tries: DeliveryTriesTable;
  signing_keys: SigningKeysTable;
  client_secrets: ClientSecretsTable;
  audit_events: AuditEventsTable;
  throttles: ThrottlesTable;
}
