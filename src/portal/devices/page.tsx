import type { ComponentChildren, JSX } from 'preact';
import { formatDateTime } from '../../locales/dates.js';
import { Confirmations, isWaiting } from '../../ui/confirmations.js';
import type { AppConfirmation } from '../../ui/confirmations.js';
import { Document } from '../../ui/document.js';
import { Button } from '../../ui/fields.js';
import { Card, Form, Link, Notice } from '../../ui/parts.js';
import type { View } from '../../ui/view.js';

interface Place {
  readonly uid: string;
  readonly browser: string | null;
  readonly device: 'own' | 'kept' | 'shared';
  readonly signedInAt: Date;
  readonly lastUsedAt: Date;
}

export interface DevicesProps {
  readonly view: View;
  readonly action: string;
  readonly signOutAction: string;
  /** Whose page it is: the account's id, which comes back with each button. */
  readonly owner: string;
  /** The session that looks. */
  readonly here: string;
  readonly live: ReadonlyArray<Place & { readonly apps: readonly string[] }>;
  readonly ended: ReadonlyArray<Place & { readonly endedAt: Date; readonly apps: readonly AppConfirmation[] }>;
  /** What came of the button that was just pressed. */
  readonly outcome: 'done' | 'gone' | null;
  readonly now: Date;
}

/** Where a person is signed in, what was opened from there, and buttons that end one or all; below, what the apps confirmed. */
export function DevicesPage(props: DevicesProps): JSX.Element {
  const { view, action, signOutAction, owner, here, live, ended, outcome, now } = props;
  const { t } = view;
  return (
    <Document
      view={view}
      title={t('devices.title')}
      signOutAction={signOutAction}
      isLive={ended.some(({ apps }) => isWaiting(apps))}
    >
      {outcome !== null && (
        <Notice kind="success">
          <p>{t(`devices.${outcome}`)}</p>
        </Notice>
      )}
      <Card title={t('devices.title')}>
        <p class="pa-lead">{live.length === 1 ? t('devices.only') : t('devices.lead')}</p>
        {live.map((place) => (
          <PlaceFacts key={place.uid} view={view} place={place} isHere={place.uid === here} now={now}>
            <p>{place.apps.length === 0 ? t('devices.noApps') : t('devices.apps', { apps: place.apps.join(', ') })}</p>
            <Form action={action} hidden={{ session: place.uid, owner }}>
              <Button kind="secondary">{place.uid === here ? t('devices.endHere') : t('devices.end')}</Button>
            </Form>
          </PlaceFacts>
        ))}
        {live.length > 1 && (
          <Form action={action} hidden={{ session: 'others', owner }}>
            <Button>{t('devices.endOthers')}</Button>
          </Form>
        )}
        {live.length > 1 && (
          <Form action={action} hidden={{ session: 'all', owner }}>
            <Button kind="secondary">{t('devices.endAll')}</Button>
          </Form>
        )}
        <Link href="/password" class="pa-row-link">
          {t('devices.password')}
        </Link>
        <Link href="/" class="pa-row-link">
          {t('permissions.back')}
        </Link>
      </Card>
      {ended.length > 0 && (
        <section class="pa-section">
          <h2 class="pa-subtitle">{t('devices.endedTitle')}</h2>
          {ended.map((place) => (
            <PlaceFacts key={place.uid} view={view} place={place} isHere={false} under now={now}>
              <p>{t('devices.endedOn', { date: formatDateTime(place.endedAt, view.locale, view.timeZone, now) })}</p>
              <Confirmations view={view} id={`said-${place.uid}`} apps={place.apps} again="/devices" />
            </PlaceFacts>
          ))}
        </section>
      )}
    </Document>
  );
}

interface PlaceFactsProps {
  readonly view: View;
  readonly place: Place;
  readonly isHere: boolean;
  /** It stands under a heading of its own part of the page. */
  readonly under?: boolean;
  readonly now: Date;
  readonly children: ComponentChildren;
}

function PlaceFacts({ view, place, isHere, under, now, children }: PlaceFactsProps): JSX.Element {
  const { t, locale, timeZone } = view;
  const Heading = under === true ? 'h3' : 'h2';
  const on = (date: Date): string => formatDateTime(date, locale, timeZone, now);
  return (
    <section class="pa-text">
      <Heading class={under === true ? 'pa-fact__name' : 'pa-subtitle'}>
        {place.browser ?? t('devices.unknown')}
        {isHere && ` – ${t('devices.here')}`}
      </Heading>
      {place.device !== 'own' && <p>{t(`devices.${place.device}`)}</p>}
      <p>{t('devices.signedIn', { date: on(place.signedInAt) })}</p>
      <p>{t('devices.lastUsed', { date: on(place.lastUsedAt) })}</p>
      {children}
    </section>
  );
}
