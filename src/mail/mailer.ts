import { createTransport } from 'nodemailer';

/** A letter to one mailbox: plain text and the same as HTML. */
export interface Letter {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** With angle brackets (RFC 5322 §3.6.4); one is made where there is none. */
  messageId?: string;
}

export interface Mailer {
  /** Hands a letter to the mail server. @throws when the server is not there or says no */
  send(letter: Letter): Promise<void>;
  close(): void;
}

/**
 * Mail over SMTP, with bounded waits: a server that hangs fails the try, and the job comes again.
 *
 * @param url `smtp://` or `smtps://`, with credentials where needed
 * @param from the sender, as in a `From:` header
 * @param once no letter may be handed over twice
 */
export function smtpMailer(url: string, from: string, { once = false } = {}): Mailer {
  // Without requeues nodemailer does not hand a letter over again whose connection broke; a new connection for each breaks less.
  const never = once ? { maxRequeues: 0, maxMessages: 1 } : {};
  const transport = createTransport({ ...smtpOptions(url), pool: true, maxConnections: 4, ...never });
  return {
    async send({ to, subject, text, html, messageId }) {
      await transport.sendMail({
        from,
        // As an object, so that nothing in the address is read as a list or a display name.
        to: { name: '', address: to },
        subject,
        text,
        html,
        ...(messageId === undefined ? {} : { messageId }),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
    },
    close: () => transport.close(),
  };
}

/**
 * Whether the mail server refused the recipient for good: a reply of class 5 to RCPT TO (RFC 5321 §4.2.1). Not where its enhanced code says
 * that we are refused for a policy, as when our own address stands on a blocklist (RFC 3463 §3.8, X.7): that tells nothing of the mailbox.
 */
export function refusesRecipient(error: unknown): boolean {
  const { command, response } = told(error);
  return command === 'RCPT TO' && /^5\d\d\b(?![ -]5\.7\.\d)/.test(String(response));
}

/**
 * Whether the mail server may have taken a letter though sending it failed: the line broke or fell silent when it was up. Not where
 * the server said no, or the line never came up.
 */
export function mayHaveArrived(error: unknown): boolean {
  const { code, syscall, timeoutType, responseCode } = told(error);
  const neverUp =
    ['EDNS', 'ETLS', 'EAUTH', 'EENVELOPE'].includes(String(code)) ||
    syscall === 'connect' ||
    (timeoutType !== undefined && timeoutType !== 'SOCKET_TIMEOUT');
  return !neverUp && typeof responseCode !== 'number';
}

/** What an error of nodemailer tells beside its message. */
function told(error: unknown): Record<string, unknown> {
  return typeof error === 'object' && error !== null ? { ...error } : {};
}

/**
 * Connects to the mail server as letters do, TLS and sign-in included, sends nothing and hangs up.
 *
 * @throws when the server is not there, or refuses
 */
export async function verifySmtp(url: string): Promise<void> {
  const shorter = { connectionTimeout: 4_000, greetingTimeout: 4_000, socketTimeout: 6_000, dnsTimeout: 4_000 };
  const transport = createTransport({ ...smtpOptions(url), ...shorter });
  try {
    await transport.verify();
  } finally {
    transport.close();
  }
}

function smtpOptions(url: string) {
  const parsed = new URL(url);
  const secure = parsed.protocol === 'smtps:';
  return {
    host: parsed.hostname,
    port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
    secure,
    ...(parsed.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) } }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
