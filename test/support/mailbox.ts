import { setTimeout as pause } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** A letter as it arrived. `to` and `from` are bare addresses. */
export interface ReceivedLetter {
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  /** Lower-case names; the first value of each. */
  headers: ReadonlyMap<string, string>;
}

/** How the mail server treats who comes: `slow` waits before it takes each letter, `refusing` answers 550, `busy` answers 451. */
export type MailboxMood = 'open' | 'slow' | 'refusing' | 'busy';

export interface Mailbox {
  /** For SMTP_URL. */
  url: string;
  /** Everything that arrived, oldest first. */
  messages: ReceivedLetter[];
  /**
   * The newest letter to the address that fits, now or as soon as it comes.
   *
   * @param timeout ms
   * @throws when none came in time, naming what did
   */
  waitFor(address: string, fits?: (letter: ReceivedLetter) => boolean, timeout?: number): Promise<ReceivedLetter>;
  /** All letters to one address, oldest first. */
  to(address: string): ReceivedLetter[];
  clear(): void;
  behave(mood: MailboxMood): void;
  /** Stops listening, on the same port until `up()`: connections are refused. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const slowness = 3_000;

function replyWith(code: number, message: string): Error & { responseCode: number } {
  return Object.assign(new Error(message), { responseCode: code });
}

/** A real SMTP server on a free loopback port, for what the product mails. */
export async function startMailbox(): Promise<Mailbox> {
  const messages: ReceivedLetter[] = [];
  let mood: MailboxMood = 'open';
  let port = 0;
  let server: SMTPServer | null = null;

  async function listen(): Promise<void> {
    const made = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      disableReverseLookup: true,
      // A server that goes down drops its connections too.
      closeTimeout: 50,
      onRcptTo(_address, _session, callback) {
        if (mood === 'refusing') callback(replyWith(550, 'No such mailbox'));
        else if (mood === 'busy') callback(replyWith(451, 'Try again later'));
        else callback();
      },
      onData(stream, session, callback) {
        const recipients = session.envelope.rcptTo.map((recipient) => recipient.address);
        const wait = mood === 'slow' ? slowness : 0;
        void simpleParser(stream).then(async (mail) => {
          await pause(wait);
          for (const to of recipients) {
            messages.push({
              to,
              from: mail.from?.value[0]?.address ?? '',
              subject: mail.subject ?? '',
              text: mail.text ?? '',
              html: typeof mail.html === 'string' ? mail.html : '',
              headers: new Map(
                mail.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()] as const),
              ),
            });
          }
          callback();
        }, callback);
      },
    });
    // A client that goes away in the middle is nothing to fall over.
    made.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      made.server.once('error', reject);
      made.listen(port, '127.0.0.1', resolve);
    });
    const address = made.server.address();
    if (address === null || typeof address === 'string') throw new Error('the mail server has no port');
    ({ port } = address);
    server = made;
  }

  async function stop(): Promise<void> {
    const stopping = server;
    server = null;
    if (stopping !== null) await new Promise<void>((resolve) => stopping.close(resolve));
  }

  await listen();
  const lettersTo = (address: string): ReceivedLetter[] =>
    messages.filter((letter) => letter.to.toLowerCase() === address.toLowerCase());
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    to: lettersTo,
    async waitFor(address, fits = () => true, timeout = 15_000) {
      for (const deadline = Date.now() + timeout; ; await pause(20)) {
        const found = lettersTo(address).findLast(fits);
        if (found !== undefined) return found;
        if (Date.now() > deadline) break;
      }
      const seen = messages.map((letter) => `${letter.to}: ${letter.subject}`).join('\n  ');
      throw new Error(`No such letter to ${address} within ${timeout} ms. Arrived:\n  ${seen}`);
    },
    clear: () => void messages.splice(0),
    behave(next) {
      mood = next;
    },
    down: stop,
    up: listen,
    close: stop,
  };
}
