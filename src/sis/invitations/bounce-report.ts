import type { ParsedMail } from 'mailparser';

/** The longest report that is read, in bytes. */
export const longestReport = 1_048_576;

/** What a Message-ID of ours looks like; anybody may write another, with signs that no database takes or longer than any question. */
const ours = /^<[\x21-\x7e]{1,320}>$/;

const statusTypes = new Set(['message/delivery-status', 'message/global-delivery-status']);
const returnedTypes = new Set(['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers']);

/**
 * Reads a delivery-status report (RFC 3464 in a `multipart/report` of RFC 6522, or as RFC 6533 has it). Only a report that says of a
 * recipient that delivery failed (`Action: failed`) for good (a status of class 5, RFC 3463 §2) and that returns the letter, or its
 * headers, counts; whom it names does not, because mailboxes forward.
 *
 * @returns the Message-ID of the letter that came back, with angle brackets; null for anything else, however it is broken
 */
export async function failedLetter(report: Buffer): Promise<string | null> {
  const mail = await parsed(report);
  if (mail === null || !isReport(mail)) return null;
  const failed = mail.attachments.some(
    ({ contentType, content }) => statusTypes.has(contentType.toLowerCase()) && saysFailed(content.toString('utf8')),
  );
  const returned = mail.attachments.find(({ contentType }) => returnedTypes.has(contentType.toLowerCase()));
  if (!failed || returned === undefined) return null;
  const letter = await parsed(returned.content);
  return ours.exec(letter?.messageId ?? '')?.[0] ?? null;
}

async function parsed(source: Buffer): Promise<ParsedMail | null> {
  // Loaded only here: no other command needs it.
  const { simpleParser } = await import('mailparser');
  try {
    return await simpleParser(source, {
      keepDeliveryStatus: true,
      ignoreEmbedded: true,
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      checksumAlgo: false,
    });
  } catch {
    return null;
  }
}

function isReport(mail: ParsedMail): boolean {
  const type = mail.headers.get('content-type');
  if (typeof type !== 'object' || !('params' in type) || typeof type.value !== 'string') return false;
  if (type.value.toLowerCase() !== 'multipart/report') return false;
  const kind = Object.entries(type.params).find(([name]) => name.toLowerCase() === 'report-type');
  return String(kind?.[1]).toLowerCase() === 'delivery-status';
}

/** Whether one of the groups of fields, one for each recipient (RFC 3464 §2.1), tells of a failure for good. */
function saysFailed(status: string): boolean {
  return status
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n/)
    .some((group) => {
      const lines = group.replaceAll(/\n[ \t]+/g, ' ').split('\n');
      return (
        lines.some((line) => /^action:\s*failed\b/i.test(line)) &&
        lines.some((line) => /^status:\s*5\.\d{1,3}\.\d{1,3}\b/i.test(line))
      );
    });
}
