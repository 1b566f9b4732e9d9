import type { Locale, Translate } from '../locales/translate.js';

/** What every page is given besides its own facts: who reads it, and where. */
export interface View {
  readonly locale: Locale;
  readonly t: Translate;
  /** Path and query of this page as GET reaches it; the language link comes back to it. */
  readonly path: string;
  /** IANA name of the district's zone. */
  readonly timeZone: string;
  /** The district's name as its families say it; null shows a general word. */
  readonly districtName: string | null;
  /** The browser stands on a shared computer: every page carries "I am done". */
  readonly sharedComputer?: boolean;
  /** The page answers a form: what was sent is to be forgotten by the browser's history. */
  readonly answersForm?: boolean;
}
