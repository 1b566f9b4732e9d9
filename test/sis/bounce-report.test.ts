import { describe, expect, it } from '@jest/globals';
import { failedLetter } from '../../src/sis/invitations/bounce-report.js';

const id = '<5f0e5c1e-7d1c-4d8e-9a3b-2b9d8a4c0e11@district.example>';

interface Told {
  type?: string;
  action?: string;
  status?: string;
  /** Fields of an earlier recipient. */
  before?: string;
  returned?: string;
  headers?: string;
}

/** A report as Postfix writes it (RFC 3464, appendix E). */
function report({
  type = 'multipart/report; report-type=delivery-status',
  action = 'failed',
  status = '5.1.1',
  before = '',
  returned = 'message/rfc822',
  headers = `Message-ID: ${id}\n`,
}: Told = {}): Buffer {
  const text = `From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: no-reply@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: ${type};
  boundary="AAA"
Message-Id: <20261120@mx.example>

--AAA
Content-Type: text/plain

It could not be delivered. Action: failed. Status: 5.1.1. Message-ID: <in-the-text@district.example>

--AAA
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Fri, 20 Nov 2026 10:00:00 -0800

${before}Final-Recipient: rfc822; somebody@forwarded.example
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; 550 No such
    mailbox here

--AAA
Content-Type: ${returned}

From: no-reply@example.org
To: mum@example.org
${headers}Subject: You can create a Parent Access account

--AAA--
`;
  return Buffer.from(text.replaceAll('\n', '\r\n'));
}

describe('a delivery-status report', () => {
  it.each<[string, Told]>([
    ['with the letter', {}],
    ['with its headers only', { returned: 'text/rfc822-headers' }],
    ['in an international form', { returned: 'message/global-headers' }],
    [
      'with other capitals',
      { action: 'FAILED', headers: `message-id: ${id}\n`, type: 'Multipart/Report; REPORT-TYPE=Delivery-Status' },
    ],
    ['with a folded header', { headers: `Message-ID:\n ${id}\n` }],
    ['with a comment after the status', { status: '5.2.2 (mailbox full)' }],
    [
      'in which another recipient was only late',
      { before: 'Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.7\n\n' },
    ],
  ])('names the letter that failed: %s', async (_name, told) => {
    expect(await failedLetter(report(told))).toBe(id);
  });

  it.each<[string, Buffer]>([
    ['late', report({ action: 'delayed', status: '4.4.7' })],
    ['delivered', report({ action: 'delivered', status: '2.0.0' })],
    ['failed for now', report({ status: '4.2.2' })],
    ['of a class that is none', report({ status: '5' })],
    [
      'failed here and five there',
      report({ action: 'relayed', before: 'Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 4.0.0\n\n' }),
    ],
    ['no report', report({ type: 'multipart/mixed' })],
    ['another report', report({ type: 'multipart/report; report-type=disposition-notification' })],
    ['without the letter', report({ returned: 'text/plain' })],
    ['without its id', report({ headers: '' })],
    ['with an id that no database takes', report({ headers: 'Message-ID: <a\0b@district.example>\n' })],
    ['with an id without an end', report({ headers: `Message-ID: <${'a'.repeat(100_000)}@district.example>\n` })],
    ['an answer', Buffer.from(`Subject: Re: hello\r\nIn-Reply-To: ${id}\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n`)],
    ['nothing', Buffer.alloc(0)],
    ['no text at all', Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 256))],
    ['cut off', report().subarray(0, 600)],
    [
      'parts within parts',
      Buffer.from(
        `Content-Type: multipart/report; report-type=delivery-status; boundary=a\r\n\r\n${'--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n'.repeat(3_000)}`,
      ),
    ],
  ])('says nothing where it is %s', async (_name, source) => {
    expect(await failedLetter(source)).toBeNull();
  });
});
