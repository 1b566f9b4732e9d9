import { parseArgs } from 'node:util';
import { utcMinute } from '../locales/dates.js';
import { invitationSettings } from '../mail-jobs.js';
import { invitationStatus } from '../sis/invitations/status.js';
import type { InvitationStatus } from '../sis/invitations/status.js';
import { DeskRefused } from './desk.js';
import type { DeskCommand } from './desk.js';

/** `invitations status [--json]` */
export const invitationsCommand: DeskCommand = async (desk, args) => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean' } } });
  if (positionals.join(' ') !== 'status') throw new DeskRefused('Say what to do: invitations status.');
  const status = await invitationStatus(desk.db, desk.clock, invitationSettings(await desk.feeds()));
  return values.json === true ? JSON.stringify(status) : inWords(status);
};

function inWords({
  perHour,
  waiting,
  underWay,
  sent,
  bounced,
  suppressed,
  countedAt,
  allBy,
}: InvitationStatus): string {
  const rate =
    perHour === null
      ? 'No invitations are sent: feeds.json has no "invitations".'
      : `Up to ${perHour} mailboxes are invited in an hour.`;
  const counted = countedAt === null ? 'not counted yet' : `as of ${utcMinute(countedAt)}`;
  const end = allBy === null ? '' : `; all will have been invited by ${utcMinute(allBy)}`;
  return [
    rate,
    `waiting     ${waiting} (${counted})${end}`,
    `under way   ${underWay}`,
    `sent        ${sent}`,
    `came back   ${bounced}`,
    `suppressed  ${suppressed} addresses`,
  ].join('\n');
}
