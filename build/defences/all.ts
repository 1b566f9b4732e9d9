import { audited } from './audited.js';
import { baselineDefences } from './baseline.js';
import { doors } from './doors.js';
import { endings } from './endings.js';
import { heldBackDefences } from './held-back.js';
import { joins } from './joins.js';
import { keptIn, keptOut } from './kept-out.js';
import { leftBehind } from './left-behind.js';
import { massChanges } from './mass-changes.js';
import { oneForAllDefences } from './one-for-all.js';
import { operators } from './operators.js';
import { oracles } from './oracles.js';
import { ownMailbox } from './own-mailbox.js';
import { people } from './people.js';
import { places } from './places.js';
import { protocol } from './protocol.js';
import { schoolWord } from './school-word.js';
import { sidecarDefences } from './sidecar.js';
import { told } from './told.js';
import { trust } from './trust.js';
import { waiting } from './waiting.js';
import type { Defence } from './defence.js';

/** Every defence that is taken out in turn. */
export const allDefences: readonly Defence[] = [
  ...protocol,
  ...people,
  ...oracles,
  ...joins,
  ...doors,
  ...leftBehind,
  ...endings,
  ...trust,
  ...baselineDefences,
  ...places,
  ...schoolWord,
  ...massChanges,
  ...keptOut,
  ...told,
  ...ownMailbox,
  ...waiting,
  ...keptIn,
  ...oneForAllDefences,
  ...heldBackDefences,
  ...sidecarDefences,
  ...audited,
  ...operators,
];
