import { randomUUID } from 'node:crypto';

/** A mail as `/dev/mail.json` shows it. */
export interface DevMail {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  sentAt: string;
}

export interface DevMailbox {
  url: string;
  /** Newest first; all, or those to one address. */
  list(to?: string): DevMail[];
  close(): Promise<void>;
}

const kept = 500;

/**
 * The mailbox of development: a real SMTP server on loopback that keeps the last 500 mails in memory. The server is a
 * development dependency, loaded only here, so that production does not even carry it.
 */
export async function startDevMailbox(): Promise<DevMailbox> {
  const { SMTPServer } = await import('smtp-server');
  const { simpleParser } = await import('mailparser');
  const mails: DevMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onData(stream, session, done) {
      simpleParser(stream)
        .then((parsed) => {
          for (const recipient of session.envelope.rcptTo) {
            mails.unshift({
              id: randomUUID(),
              to: recipient.address,
              subject: parsed.subject ?? '',
              text: parsed.text ?? '',
              html: parsed.html === false ? '' : (parsed.html ?? ''),
              sentAt: new Date().toISOString(),
            });
          }
          mails.splice(kept);
          done();
        })
        .catch((error: unknown) => done(error instanceof Error ? error : new Error('unreadable mail')));
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('The development mailbox has no port.');
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    list: (to) => (to === undefined ? [...mails] : mails.filter((mail) => mail.to.toLowerCase() === to.toLowerCase())),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
