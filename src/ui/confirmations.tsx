import type { JSX } from 'preact';
import type { MessageKey } from '../locales/translate.js';
import { Link } from './parts.js';
import type { View } from './view.js';

/** One app that a sign-out reached, and what it has said so far. */
export interface AppConfirmation {
  /** In the reader's language; null where apps are only counted, as on a computer that others use next. */
  readonly name: string | null;
  readonly state: 'waiting' | 'confirmed' | 'refused' | 'given-up' | 'unreachable';
}

export interface ConfirmationsProps {
  readonly view: View;
  /** Unique on its page. */
  readonly id?: string;
  readonly apps: readonly AppConfirmation[];
  /** The page itself, for who has no script. */
  readonly again: string;
}

const words: Record<AppConfirmation['state'], MessageKey> = {
  waiting: 'confirmations.waiting',
  confirmed: 'confirmations.confirmed',
  refused: 'confirmations.failed',
  'given-up': 'confirmations.failed',
  unreachable: 'confirmations.unreachable',
};

/** Whether an answer is still to come, for which the page needs its script. */
export function isWaiting(apps: readonly AppConfirmation[]): boolean {
  return apps.some(({ state }) => state === 'waiting');
}

/** What the apps have confirmed of a sign-out; nothing where none was reached. */
export function Confirmations({ view, id = 'confirmations', apps, again }: ConfirmationsProps): JSX.Element | null {
  const { t } = view;
  if (apps.length === 0) return null;
  const confirmed = apps.filter(({ state }) => state === 'confirmed').length;
  const waiting = isWaiting(apps);
  return (
    <div id={id} class="pa-text" aria-live="polite" {...(waiting ? { 'data-live': '' } : {})}>
      <p>{t('confirmations.count', { confirmed, all: apps.length })}</p>
      {apps.some(({ name }) => name !== null) && (
        <ul class="pa-list">
          {apps.map(({ name, state }, index) => (
            <li key={`${name} ${index}`}>{t(words[state], { app: name ?? '' })}</li>
          ))}
        </ul>
      )}
      {!waiting && confirmed < apps.length && <p>{t('confirmations.close')}</p>}
      {waiting && (
        <Link href={again} class="pa-row-link">
          {t('confirmations.again')}
        </Link>
      )}
    </div>
  );
}
