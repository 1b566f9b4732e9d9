import type { Config } from '../config.js';
import { verifySmtp } from '../mail/mailer.js';
import { failed, hasCode, ok, reasonOf } from './check.js';
import type { Check } from './check.js';

/** Connects to the mail server, with TLS and sign-in as letters do, and sends nothing. */
export async function smtp({ smtpUrl }: Pick<Config, 'smtpUrl'>): Promise<Check> {
  const name = 'smtp';
  if (smtpUrl === null) return ok(name, 'Mails stay in the mailbox of development: SMTP_URL is not set.');
  const { host, signsIn } = addressOf(smtpUrl);
  try {
    await verifySmtp(smtpUrl);
    return ok(name, `${host} takes connections${signsIn ? ' and the sign-in' : ''}.`);
  } catch (error) {
    const refused = hasCode(error, 'EAUTH');
    return failed(
      name,
      `The mail server ${host} cannot be used: ${reasonOf(error)}.`,
      refused
        ? 'Correct user name and password in SMTP_URL (percent-encoded), or renew them at the mail server.'
        : 'See that the mail server runs and that a firewall lets this machine through, or correct SMTP_URL.',
    );
  }
}

function addressOf(url: string): { host: string; signsIn: boolean } {
  const { hostname, port, protocol, username } = new URL(url);
  return { host: `${hostname}:${port || (protocol === 'smtps:' ? '465' : '587')}`, signsIn: username !== '' };
}
