import type { EmailProblem } from '../../families/email.js';

/** A phone as the SIS wrote it, and as E.164 where it can be dialled. */
export interface FeedPhone {
  raw: string;
  e164: string | null;
  type: string | null;
}

/** One student–contact pair of a feed in the words of the rules, whatever the format it came in. Days are `YYYY-MM-DD`. */
export interface FeedRow {
  /** Line of the file on which it begins, the header being 1. */
  line: number;
  /** Why it is not applied, as `reason:column`; then only the ids, `restricted` and `confidential` are of use. */
  problem: string | null;
  schoolCode: string;
  schoolName: string;
  studentId: string;
  studentGivenName: string;
  studentFamilyName: string;
  studentEmail: string | null;
  grade: string | null;
  birthDate: string | null;
  rightsRetainedUntil: string | null;
  confidential: boolean | null;
  contactId: string;
  givenName: string;
  familyName: string;
  nameKey: string;
  relation: string;
  relationRaw: string;
  emailRaw: string | null;
  email: string | null;
  emailProblem: EmailProblem | null;
  phone1: FeedPhone | null;
  phone2: FeedPhone | null;
  language: string | null;
  priority: number | null;
  isEmergency: boolean | null;
  isLegalGuardian: boolean | null;
  edRights: boolean | null;
  livesWith: boolean | null;
  pickupOk: boolean | null;
  portalAccess: boolean | null;
  restricted: boolean | null;
  restrictionType: string | null;
  restrictionTypeRaw: string | null;
  restrictionStart: string | null;
  restrictionEnd: string | null;
  startDate: string | null;
  endDate: string | null;
  /** ISO 8601 moment. */
  lastModified: string | null;
  /** Changes when anything in the row changes. */
  digest: string;
}

/** A row of which not even the pair can be known: it is counted and left. */
interface UnreadableRow {
  line: number;
  problem: string;
  unreadable: true;
}

/** What a format yields for every row of the file, in the file's order. */
export type ReadRow = FeedRow | UnreadableRow;

/**
 * One file format: bytes in, rows out, streaming. Throws `FeedRefused` when the file as a whole is not to be trusted.
 * A further format is one more function like this.
 */
export type FeedFormat = (bytes: AsyncIterable<Uint8Array>, sis: string) => AsyncIterable<ReadRow>;

/** Why a file is refused whole; the message is one plain sentence with line and column, without personal data. */
export class FeedRefused extends Error {
  override readonly name = 'FeedRefused';
  constructor(
    message: string,
    readonly place: { line?: number; column?: string } = {},
  ) {
    super(message);
  }
}
