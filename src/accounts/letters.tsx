import type { JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { formatDateTime } from '../locales/dates.js';
import type { Locale, Translate } from '../locales/translate.js';

/** A letter without its address: plain text, and the same as HTML. */
export interface WrittenLetter {
  subject: string;
  text: string;
  html: string;
}

/** What a letter is made of, in order. A letter never tells of a child, of another guardian, or why something is not possible. */
type Part = { say: string } | { button: string; href: string } | { code: string };

const frame =
  'font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;font-size:17px;line-height:1.5;color:#1b1b1b;max-width:34em;margin:0 auto;padding:24px;overflow-wrap:anywhere;word-break:break-word';
const buttonStyle =
  'display:inline-block;background:#1a3c6e;color:#ffffff;padding:14px 22px;border-radius:8px;text-decoration:none;font-weight:700';
const codeStyle = 'font-size:28px;font-weight:700;letter-spacing:4px;font-family:ui-monospace,Menlo,Consolas,monospace';

function PartHtml({ part, t }: { readonly part: Part; readonly t: Translate }): JSX.Element {
  if ('code' in part) return <p style={codeStyle}>{part.code}</p>;
  if ('say' in part) return <p>{part.say}</p>;
  return (
    <>
      <p style="margin:24px 0">
        <a style={buttonStyle} href={part.href}>
          {part.button}
        </a>
      </p>
      <p style="font-size:14px;color:#565c65">
        {t('letter.linkInstead')}
        <br />
        {part.href}
      </p>
    </>
  );
}

function partText(part: Part): string {
  if ('code' in part) return `    ${part.code}`;
  return 'say' in part ? part.say : `${part.button}:\n${part.href}`;
}

function write(t: Translate, subject: string, parts: Part[]): WrittenLetter {
  const sender = t('letter.sender', { site: t('site.name'), district: t('site.district') });
  const body: Part[] = [{ say: t('letter.hello') }, ...parts, { say: t('letter.automatic') }, { say: sender }];
  return {
    subject,
    text: `${body.map(partText).join('\n\n')}\n`,
    html: `<!doctype html>${renderToString(
      <div lang={t.locale} style={frame}>
        {body.map((part, index) => (
          <PartHtml key={index} part={part} t={t} />
        ))}
      </div>,
    )}`,
  };
}

/** The way on: a link for any browser, and a code for the page on which it was asked. Times in hours and minutes. */
export function activationLetter(
  t: Translate,
  {
    link,
    code,
    hours,
    minutes,
    appName,
  }: { link: string; code: string; hours: number; minutes: number; appName: string | null },
): WrittenLetter {
  return write(t, t('letter.activation.subject'), [
    { say: appName === null ? t('letter.activation.lead') : t('letter.activation.leadApp', { app: appName }) },
    { button: t('letter.activation.button'), href: link },
    { say: t('letter.activation.time', { hours }) },
    { say: t('letter.activation.code', { minutes }) },
    { code },
    { say: t('letter.neverShare') },
    { say: t('letter.notYou') },
  ]);
}

export function alreadyAccountLetter(
  t: Translate,
  { signInLink, recoverLink }: { signInLink: string; recoverLink: string },
): WrittenLetter {
  return write(t, t('letter.already.subject'), [
    { say: t('letter.already.lead') },
    { button: t('letter.already.button'), href: signInLink },
    { say: `${t('letter.already.forgot')} ${recoverLink}` },
    { say: t('letter.notYou') },
  ]);
}

/** For a mailbox that a feed holds, where what was typed beside it does not lead to an account. */
export function noMatchLetter(t: Translate, { registerLink }: { registerLink: string }): WrittenLetter {
  return write(t, t('letter.noMatch.subject'), [
    { say: t('letter.noMatch.lead') },
    { say: t('letter.noMatch.try') },
    { button: t('letter.noMatch.button'), href: registerLink },
    { say: t('letter.noMatch.ask') },
    { say: t('letter.notYou') },
  ]);
}

/** For whom the school must see; it never says why. */
export function inPersonLetter(t: Translate): WrittenLetter {
  return write(t, t('letter.inPerson.subject'), [
    { say: t('letter.inPerson.lead') },
    { say: t('letter.inPerson.bring') },
    { say: t('letter.notYou') },
  ]);
}

/** For the district's administrators: a run of a feed waits for their decision. */
export function heldRunLetter(
  t: Translate,
  run: { feed: string; runId: string; findings: string; restrictions: number },
): WrittenLetter {
  return write(t, t('letter.heldRun.subject', { feed: run.feed }), [
    { say: t('letter.heldRun.lead', { feed: run.feed }) },
    { say: run.findings },
    ...(run.restrictions === 0 ? [] : [{ say: t('letter.heldRun.restrictions', { count: run.restrictions }) }]),
    { say: t('letter.heldRun.next') },
    { say: `parent-access import approve ${run.runId} --reason "…"` },
    { say: `parent-access import discard ${run.runId} --reason "…"` },
  ]);
}

/** For the district's administrators: a file of a feed could not be loaded, and there is nothing to decide. */
export function refusedRunLetter(t: Translate, run: { feed: string; findings: string }): WrittenLetter {
  return write(t, t('letter.refusedRun.subject', { feed: run.feed }), [
    { say: t('letter.heldRun.lead', { feed: run.feed }) },
    { say: run.findings },
    { say: t('letter.refusedRun.next') },
  ]);
}

/**
 * Tells a parent that rights end soon: nobody's name, no school, and nothing of who else sees the student.
 *
 * @param day as people say it: the first without the rights, or the last with them where the school had them kept
 */
export function rightsEndLetter(
  t: Translate,
  { day, students, kept }: { day: string; students: number; kept: boolean },
): WrittenLetter {
  return write(t, t('letter.rightsEnd.subject'), [
    { say: kept ? t('letter.rightsEnd.leadKept', { students, day }) : t('letter.rightsEnd.lead', { students, day }) },
    { say: t('letter.rightsEnd.then', { students }) },
    { say: t('letter.rightsEnd.keep') },
    { say: t('letter.rightsEnd.account') },
  ]);
}

/** For the district's administrators: at which schools parents' rights end soon. Numbers only, without a school (null) where it is withheld; the command has the students. */
export function rightsEndStaffLetter(
  t: Translate,
  { schools }: { schools: ReadonlyArray<{ school: string | null; soon: number; later: number }> },
): WrittenLetter {
  return write(t, t('letter.rightsEndStaff.subject'), [
    { say: t('letter.rightsEndStaff.lead') },
    ...schools.map(({ school, ...counts }) => ({
      say: t('letter.rightsEndStaff.school', { school: school ?? t('letter.rightsEndStaff.withheld'), ...counts }),
    })),
    { say: t('letter.rightsEndStaff.next') },
    { say: 'parent-access rights upcoming --days 60' },
  ]);
}

export function recoveryLetter(
  t: Translate,
  { link, minutes, needsCode }: { link: string; minutes: number; needsCode: boolean },
): WrittenLetter {
  return write(t, t('letter.recovery.subject'), [
    { say: t('letter.recovery.lead') },
    { button: t('letter.recovery.button'), href: link },
    { say: t('letter.recovery.time', { minutes }) },
    ...(needsCode ? [{ say: t('letter.recovery.needsCode') }] : []),
    { say: t('letter.recovery.notYou') },
  ]);
}

/** For an address that only the school knows for this person: the account's own earlier one is the way. */
export function recoveryUseEarlierLetter(t: Translate, { recoverLink }: { recoverLink: string }): WrittenLetter {
  return write(t, t('letter.recoveryEarlier.subject'), [
    { say: t('letter.recoveryEarlier.lead') },
    { say: t('letter.recoveryEarlier.use') },
    { button: t('letter.recoveryEarlier.button'), href: recoverLink },
    { say: t('letter.recoveryEarlier.school') },
    { say: t('letter.recovery.notYou') },
  ]);
}

export function recoveryInPersonLetter(t: Translate): WrittenLetter {
  return write(t, t('letter.recoveryInPerson.subject'), [
    { say: t('letter.recoveryInPerson.lead') },
    { say: t('letter.recoveryInPerson.bring') },
    { say: t('letter.recovery.notYou') },
  ]);
}

/** Tells the owner, also when it was the owner. */
export function passwordChangedLetter(
  t: Translate,
  { when, locale, timeZone, recoverLink }: { when: Date; locale: Locale; timeZone: string; recoverLink: string },
): WrittenLetter {
  return write(t, t('letter.passwordChanged.subject'), [
    { say: t('letter.passwordChanged.lead', { when: formatDateTime(when, locale, timeZone) }) },
    { say: t('letter.passwordChanged.you') },
    { say: t('letter.passwordChanged.notYou') },
    { button: t('letter.passwordChanged.button'), href: recoverLink },
  ]);
}

/** Asks for the proof of an address that the school has now. */
export function addressLetter(t: Translate, { link }: { link: string }): WrittenLetter {
  return write(t, t('letter.address.subject'), [
    { say: t('letter.address.lead') },
    { button: t('letter.address.button'), href: link },
    { say: t('letter.notYou') },
  ]);
}

/** Tells the old mailbox. */
export function addressChangedLetter(t: Translate): WrittenLetter {
  return write(t, t('letter.addressChanged.subject'), [
    { say: t('letter.addressChanged.lead') },
    { say: t('letter.addressChanged.notYou') },
  ]);
}

/**
 * Tells somebody whom a school knows that they can register. It has no link with a token, no code and nobody's name: what it
 * says may be read by anybody, and who copies it for phishing cannot make it look more official than a plain address.
 *
 * @param portal the bare address
 */
export function invitationLetter(t: Translate, { portal }: { portal: string }): WrittenLetter {
  return write(t, t('letter.invitation.subject'), [
    { say: t('letter.invitation.lead') },
    { say: t('letter.invitation.how') },
    { say: portal },
    { say: t('letter.invitation.need') },
    { say: t('letter.invitation.safe') },
    { say: t('letter.invitation.once') },
  ]);
}
