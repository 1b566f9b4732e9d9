import { createTransport } from 'nodemailer';

/** A letter to one mailbox: plain text and the same as HTML. */
export interface Letter {
  to: string;
  subject: string;
  text: string;
  html: string;
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
 */
export function smtpMailer(url: string, from: string): Mailer {
  const transport = createTransport({ ...smtpOptions(url), pool: true, maxConnections: 4 });
  return {
    async send({ to, subject, text, html }) {
      await transport.sendMail({
        from,
        // As an object, so that nothing in the address is read as a list or a display name.
        to: { name: '', address: to },
        subject,
        text,
        html,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
    },
    close: () => transport.close(),
  };
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
