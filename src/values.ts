const second = 1;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Every duration and limit of the product, in seconds where nothing else is said, each with its source.
 * They are fixed by the design, not by configuration: an operator who could stretch them would weaken what is promised.
 */
export const values = {
  /** How long a person may take between "Sign in" in an app and the way back. */
  interaction: 1 * hour,
  /** How long an app's parameters are kept for a parent who finishes in another browser. */
  interactionKept: 24 * hour,
  activationLink: 24 * hour,
  activationCode: 10 * minute,
  activationCodeTries: 5,
  activationsPerContactADay: 3,
  /** After link or code: the time to choose a password in that browser. */
  claim: 1 * hour,
  recoveryLink: 30 * minute,
  /** After a recovery was ended from a session: what is asked in this time is not ended so again. */
  recoveryStands: 1 * hour,
  /** "I have just proved who I am", left by registration and recovery for the next login prompt. */
  freshProof: 5 * minute,
  /** RFC 6749 §4.1.2 allows at most 10 minutes. */
  authorizationCode: 60 * second,
  accessToken: 10 * minute,
  /** JWT access tokens cannot be ended, so they live shorter. */
  jwtAccessToken: 5 * minute,
  clientCredentials: 10 * minute,
  idToken: 1 * hour,
  refreshToken: 30 * day,
  /** A refresh token used again sooner than this is a retry on a bad network: refused, nothing else. */
  refreshRetry: 5 * second,
  session: 12 * hour,
  keptSession: 30 * day,
  keptSessionIdle: 14 * day,
  /** A library computer: the next person must not find the last one's children. */
  sharedSession: 60 * minute,
  sharedSessionIdle: 15 * minute,
  /** Use is written down at most this often. */
  sessionTouch: 1 * minute,
  /** How long a browser is remembered as one that its owner signed in with before. */
  knownDevice: 365 * day,
  pushedRequest: 60 * second,
  /** The longest that an app's signed assertion may have left to live (FAPI 1.0 Advanced §5.2.2 for request objects). */
  assertion: 1 * hour,
  jwksCache: 10 * minute,
  /** An app is told of an end at once, then after these waits; the last is repeated until the time below is over. */
  deliveryWaits: [1, 2, 5, 15, 60, 300, 900, 3_600, 10_800],
  deliveryTime: 1 * day,
  /** One try may take this long. */
  deliveryTry: 5 * second,
  /** A try that is not recorded by then died with its process, and is made again. */
  deliveryLease: 15 * second,
  /** Tries that one app has at once, of each instance. */
  deliveriesAtOnce: 8,
  /** Before an instance stops listening it says so for this long, so that a balancer that asks every second or two looks away. */
  closingNotice: 3 * second,
  /** Then requests at work may take this long: with the notice, and what an end takes besides, less than 10 s. */
  closingWork: 6 * second,
  /** How long it is told what each app confirmed. */
  deliveryKept: 30 * day,
  /** How long a person is told where they were signed in before. */
  endedShown: 7 * day,
  /** The page after signing out: as long as a person may stand before it. */
  signedOutPage: 10 * minute,
  /**
   * How long an answer that is ready may wait to be taken: as long as the head of a request may take to come. Ours have 30 KB
   * at most, and what the system buffers counts as taken, so only who hardly reads comes near it.
   */
  unreadAnswer: 10 * second,
  /** How often each instance looks whether the keys changed: so long may it go on with one that was revoked. */
  keysLookedAt: 5 * second,
  /** How long a key is published before it signs: until every app's copy of the key set is a new one, and every instance follows. */
  keyPublished: 15 * minute,
  /** NIST SP 800-57 Part 1 Rev. 5 §5.3.6 lets a private signature key live one to three years; walked each quarter, the way is known to work. */
  keyRotation: 90 * day,
  /** As long as the longest session, whose `id_token_hint` and cookie it signed, and an hour for clocks that differ. */
  keyVerifies: 30 * day + 1 * hour,
  /** An app's secret that ends sooner than this is warned of. */
  secretWarning: 30 * day,
  /** The use of a secret is written down at most this often. */
  secretTouch: 1 * minute,
  /** Passwords: NIST SP 800-63B-4 §3.1.1.2. */
  passwordLength: 15,
  passwordMaximum: 1_024,
  throttles: {
    passwordPerAccountAndSource: { points: 5, duration: 15 * minute },
    passwordPerKnownDevice: { points: 5, duration: 15 * minute },
    /** Over all known devices of an account; beyond it they are strangers again. */
    passwordPerAllKnownDevices: { points: 10, duration: 15 * minute },
    passwordPerSource: { points: 20, duration: 5 * minute },
    /** Passwords sent by one mailed letter: each costs a hash, also where the name or code beside it is refused. */
    passwordPerLetter: { points: 20, duration: 1 * hour },
    requestPerAddress: { points: 5, duration: 1 * day },
    /** Over all known devices of an account, of which each has as many as an address; beyond it they are strangers. */
    recoveryPerAllKnownDevices: { points: 20, duration: 1 * day },
    requestPerSource: { points: 10, duration: 10 * minute },
    codePerSource: { points: 20, duration: 10 * minute },
  },
  /** Letters that answer a request which leads to no account, over all addresses: a ceiling against being used to spam. */
  unmatchedLettersADay: 2_000,
  /** Letters that tell one owner of a changed password. */
  passwordLettersADay: 10,
  /** Days before the rights pass to a student who turns 18 on which parents and staff are told; 34 CFR 99.5 itself asks for none. */
  rightsNotices: { later: 60, soon: 7 },
  /** OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two passes, one lane. */
  argon2: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
} as const;

/** A moment `seconds` after `from`. */
export function after(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
