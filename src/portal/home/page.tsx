import type { JSX } from 'preact';
import { formatDate, formatDay } from '../../locales/dates.js';
import type { MessageKey } from '../../locales/translate.js';
import { Document } from '../../ui/document.js';
import { Link } from '../../ui/parts.js';
import type { View } from '../../ui/view.js';

interface Child {
  readonly name: string;
  readonly grade: string | null;
  /** Null where the school is not told. */
  readonly schoolName: string | null;
  /** A word of the rules (`Relation` of src/families); any other reads as "contact". */
  readonly relation: string;
  /** When the school's records last changed what is shown. */
  readonly on: Date;
  /** `YYYY-MM-DD`: the last day before the rights pass to the student, where that is soon. */
  readonly until: string | null;
}

interface Fact {
  readonly kind: 'phone' | 'email';
  readonly value: string;
  readonly schoolName: string | null;
  readonly on: Date;
}

export interface HomeProps {
  readonly view: View;
  readonly name: string;
  readonly tiles: ReadonlyArray<{ readonly name: string; readonly sentence: string; readonly href: string }>;
  readonly children: readonly Child[];
  readonly contactFacts: readonly Fact[];
  readonly signOutAction: string;
  /** The present, so that a day of another year is shown with its year. */
  readonly now?: Date;
  /** The same as a day in the district, `YYYY-MM-DD`. */
  readonly today?: string;
}

const relations: ReadonlyMap<string, MessageKey> = new Map([
  ['parent', 'relation.parent'],
  ['guardian', 'relation.guardian'],
  ['foster_parent', 'relation.foster_parent'],
  ['step_parent', 'relation.step_parent'],
  ['grandparent', 'relation.grandparent'],
  ['sibling', 'relation.sibling'],
  ['relative', 'relation.relative'],
  ['caregiver', 'relation.caregiver'],
]);

/** The signed-in parent's start page: apps, children, and where each fact comes from. */
export function HomePage(props: HomeProps): JSX.Element {
  const { view, name, tiles, children, contactFacts, signOutAction, now, today } = props;
  const { t } = view;
  return (
    <Document view={view} title={t('home.pageTitle')} signOutAction={signOutAction} wide>
      <h1 class="pa-title">{t('home.title', { name })}</h1>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('home.appsTitle')}</h2>
        {tiles.length === 0 && <p>{t('home.noApps')}</p>}
        <ul class="pa-grid">
          {tiles.map((tile) => (
            <li key={tile.href}>
              <Link href={tile.href} class="pa-tile">
                <span class="pa-tile__name">{tile.name}</span>
                {tile.sentence}
              </Link>
            </li>
          ))}
        </ul>
      </section>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('home.childrenTitle')}</h2>
        {children.length === 0 && (
          <>
            <p>{t('home.noChildren')}</p>
            <p class="pa-text">{t('home.noChildrenNext')}</p>
            <p class="pa-text">{t('home.noChildrenAdult')}</p>
          </>
        )}
        <ul class="pa-grid">
          {children.map((child) => (
            <li key={child.name}>
              <ChildFacts view={view} child={child} now={now} today={today} />
            </li>
          ))}
        </ul>
      </section>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('home.contactTitle')}</h2>
        {contactFacts.length === 0 && <p>{t('home.noContact')}</p>}
        <ul class="pa-grid">
          {contactFacts.map((fact) => (
            <li key={`${fact.kind} ${fact.value} ${fact.schoolName ?? ''}`}>
              <ContactFact view={view} fact={fact} now={now} />
            </li>
          ))}
        </ul>
      </section>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('home.wrongTitle')}</h2>
        <p>{t('home.wrong')}</p>
      </section>
      <section class="pa-section">
        <h2 class="pa-subtitle">{t('home.helpTitle')}</h2>
        <ul class="pa-contents">
          <li>
            <a href="/help">{t('home.help')}</a>
          </li>
          <li>
            <a href="/password">{t('changePassword.title')}</a>
          </li>
          <li>
            <a href="/devices">{t('devices.title')}</a>
          </li>
          <li>
            <a href="/permissions">{t('permissions.title')}</a>
          </li>
          <li>
            <a href="/help#documents">{t('home.documents')}</a>
          </li>
        </ul>
      </section>
    </Document>
  );
}

interface Shown {
  readonly view: View;
  readonly now: Date | undefined;
}

function ChildFacts({
  view,
  child,
  now,
  today,
}: Shown & { readonly child: Child; readonly today: string | undefined }): JSX.Element {
  const { t, locale, timeZone } = view;
  const date = formatDate(child.on, locale, timeZone, now);
  return (
    <div class="pa-fact">
      <p class="pa-fact__name">{child.name}</p>
      {child.schoolName !== null && <p>{child.schoolName}</p>}
      {child.grade !== null && <p>{t('home.grade', { grade: child.grade })}</p>}
      <p>{t('home.relation', { relation: t(relations.get(child.relation) ?? 'relation.other') })}</p>
      {child.until !== null && <p>{t('home.rightsUntil', { date: formatDay(child.until, locale, today) })}</p>}
      <p class="pa-quiet">
        {child.schoolName === null
          ? t('home.childFromSystem', { date })
          : t('home.childFrom', { school: child.schoolName, date })}
      </p>
    </div>
  );
}

function ContactFact({ view, fact, now }: Shown & { readonly fact: Fact }): JSX.Element {
  const { t, locale, timeZone } = view;
  const date = formatDate(fact.on, locale, timeZone, now);
  return (
    <div class="pa-fact">
      <p class="pa-fact__name">{fact.value}</p>
      <p class="pa-quiet">
        {fact.schoolName === null
          ? t(`home.${fact.kind}FromSystem`, { date })
          : t(`home.${fact.kind}From`, { school: fact.schoolName, date })}
      </p>
    </div>
  );
}
