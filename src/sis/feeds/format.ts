import type { Database } from '../../database/database.js';
import type { EmailProblem } from '../../families/email.js';
import type { RecordRow } from './record.js';

/** A phone as the SIS wrote it, and as E.164 where it can be dialled. */
export interface FeedPhone {
  raw: string;
  e164: string | null;
  type: string | null;
}

/**
 * One row of a feed in the words of the rules, whatever the format it came in. It states what its `states…` flags say: facts of a student,
 * of a contact, the relationship of the two, or several of these; a school's where it names one. Days are `YYYY-MM-DD`.
 */
export interface FeedRow {
  /** Line of its file on which it begins, the header being 1. */
  line: number;
  /** Why it is not applied, as `reason:column`; then only the ids, `restricted` and `confidential` are of use. */
  problem: string | null;
  statesStudent: boolean;
  statesContact: boolean;
  statesPair: boolean;
  /** Said to be no more: the relationship, or else the person with all relationships. Only in a delta. */
  gone: boolean;
  /** False where the row says nothing about rights (`isLegalGuardian`, `edRights`, `portalAccess`): what stands, stands. */
  statesRights: boolean;
  /** Which side names the other, where a format lets either: 1 the student, 2 the contact, 3 both. */
  namedBy: 1 | 2 | 3 | null;
  schoolCode: string | null;
  schoolName: string | null;
  studentId: string | null;
  studentGivenName: string | null;
  studentFamilyName: string | null;
  studentEmail: string | null;
  grade: string | null;
  birthDate: string | null;
  rightsRetainedUntil: string | null;
  confidential: boolean | null;
  contactId: string | null;
  givenName: string | null;
  familyName: string | null;
  nameKey: string | null;
  relation: string | null;
  relationRaw: string | null;
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
}

/** A row of which not even the pair can be known: it is counted and left. */
interface UnreadableRow {
  line: number;
  problem: string;
  unreadable: true;
  /** The file of a set in which it stands. */
  of?: string;
}

/** So many rows that were not wanted: they are counted only. */
interface UntouchedRows {
  untouched: number;
}

/** What a format yields for every row of its files, in their order. */
export type ReadRow = FeedRow | UnreadableRow | RecordRow | UntouchedRows;

/** Where a run's file or folder lies on this machine; a run from elsewhere is brought here first. */
export interface FeedSource {
  path: string;
  /** Whoever names the file may say that it is a delta, where the format itself cannot. */
  delta: boolean;
}

/** What the server of a feed said about one state of what it holds (RFC 9110, 8.8). */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

/** Where a feed lies that is not on this machine, and what is known of it. */
export interface BringOptions {
  url: string;
  /** The value of the Authorization header; null where the server asks for none. */
  authorization: string | null;
  /** Of the state that stands: the server then answers without one while it is the same. Null asks for it in any case. */
  known: Validators | null;
  onBytes?: (received: number) => void;
}

/** What was brought to this machine, for `open`; whoever asked for it removes it. */
export interface Brought {
  path: string;
  remove(): Promise<void>;
  validators: Validators;
}

/** A feed that was opened: what is known before its rows are read. */
export interface FeedReading {
  /** In a `bulk` what is missing was removed; in a `delta` it says nothing. */
  kind: 'bulk' | 'delta';
  /** The shape of the file, such as its header: when it differs from the last one, the run is held. */
  layout: string;
  rows: AsyncIterable<ReadRow>;
  /** Where rows can be told from those of the last file without reading what they say. */
  skimming?: Skimming;
}

/** A row as it is told from others; its ids are empty where not even they can be known. */
export interface SkimmedRow {
  text: string;
  studentId: string;
  contactId: string;
  schoolCode: string;
  schoolName: string;
}

export interface Skimming {
  /** Another one whenever the same row would be read as something else than before, so that all rows are compared once more. */
  reader: string;
  /** Every row of the file, in the order of `rows`, by the block. */
  skim(): AsyncIterable<SkimmedRow[]>;
  /** All rows, but those that are not wanted as untouched. @param wanted 1 for each row that is, from the first */
  rows(wanted: Uint8Array): AsyncIterable<ReadRow>;
}

/** What a format may ask of the database while its run is staged. */
export interface StagedRun {
  runId: string;
  sis: string;
  kind: 'bulk' | 'delta';
  /** Files of the set with a row of which nothing could be staged. */
  unreadableIn: ReadonlySet<string>;
}

/**
 * One file format, or one REST source: a further one is one more file like this, and its name in `formats.ts`.
 *
 * `open` throws `FeedRefused` when the file as a whole is not to be trusted, and so may the iteration of the rows.
 */
export interface FeedFormat {
  /**
   * Where a server does not hold one file, as a REST source (OneRoster 1.2, Ed-Fi): brings all its pages to a file or folder of this machine,
   * so that what is planned, checked and applied is one state of it, with a digest.
   *
   * @returns null when the server says that its state is the known one
   * @throws FeedAway when trying again later may help, FeedRefused when only people can
   */
  bring?(options: BringOptions): Promise<Brought | null>;
  /** The shape it is documented with, where it has only one: a first file of another shape is held too. */
  layout?: string;
  /** Whether its files say themselves if they are a bulk or a delta; else whoever names the file does. */
  tellsKind?: boolean;
  open(source: FeedSource, sis: string): Promise<FeedReading>;
  /** Where its records wait for `assemble`; the import forgets them, by `run_id`, when the run ends. */
  recordTables?: readonly string[];
  /**
   * Where facts of several files belong together: joins in SQL what the run staged, before anything is compared. It may write to
   * `staged_rows` of this run only.
   */
  assemble?(db: Database, run: StagedRun): Promise<void>;
}

/** Why a file is refused whole; the message is one plain sentence with line and column, without personal data. */
export class FeedRefused extends Error {
  override readonly name = 'FeedRefused';
  constructor(
    message: string,
    readonly place: { line?: number; column?: string } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The place of a feed cannot be reached now; trying again later may help. */
export class FeedAway extends FeedRefused {}
