import { normaliseEmail } from '../families/email.js';
import { noteBounce, unsuppress } from '../sis/invitations/suppress.js';
import { DeskRefused } from './desk.js';
import type { DeskCommand } from './desk.js';

/** What `mail bounce` says of everything that is no report of ours. */
export const nothingChanged = 'This is no report of an invitation that failed for good; nothing was changed.';

/** `mail bounced MESSAGE-ID`, which `mail bounce` asks for after it has read the report, and `mail unsuppress ADDRESS`. */
export const mailCommand: DeskCommand = async (desk, [what, which = '', ...more]) => {
  if (what === 'bounced') {
    const noted = await noteBounce(desk, { messageId: which }, 'reported');
    return noted ? 'The address of this invitation gets no more invitations.' : nothingChanged;
  }
  if (what !== 'unsuppress' || which === '' || more.length > 0) {
    throw new DeskRefused('Say what to do: mail bounce, with a report on standard input, or mail unsuppress ADDRESS.');
  }
  const normal = normaliseEmail(which);
  if (!('email' in normal)) throw new DeskRefused('This is no e-mail address.');
  if (!(await unsuppress(desk, normal.email))) throw new DeskRefused('This address is not suppressed.');
  return 'The address may be invited again.';
};
