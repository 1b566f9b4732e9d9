import type { JSX } from 'preact';
import { formatDateTime } from '../../src/locales/dates.js';
import { Document } from '../../src/ui/document.js';
import { Button, CodeField, TextField } from '../../src/ui/fields.js';
import type { FieldErrors } from '../../src/ui/fields.js';
import { Aside, Card, ErrorSummary, Form, Link, hasErrors, Notice } from '../../src/ui/parts.js';
import type { View } from '../../src/ui/view.js';

export interface RegisterProps {
  readonly view: View;
  readonly action: string;
  readonly values: { readonly email: string; readonly phone: string };
  readonly errors: FieldErrors<'email' | 'phone'>;
  readonly signInHref: string;
}

/** The e-mail and the emergency phone that the school has. */
export function RegisterPage({ view, action, values, errors, signInHref }: RegisterProps): JSX.Element {
  const { t } = view;
  return (
    <Document view={view} title={t('register.title')} hasErrors={hasErrors(errors)}>
      <ErrorSummary view={view} errors={errors} />
      <Card title={t('register.title')}>
        <p class="pa-lead">{t('register.lead')}</p>
        <Form action={action}>
          <TextField
            view={view}
            name="email"
            type="email"
            label={t('field.email')}
            hint={t('register.emailHint')}
            value={values.email}
            autocomplete="email"
            inputmode="email"
            error={errors.email}
          />
          <TextField
            view={view}
            name="phone"
            type="tel"
            label={t('field.phone')}
            hint={t('register.phoneHint')}
            value={values.phone}
            autocomplete="tel"
            inputmode="tel"
            maxLength={60}
            error={errors.phone}
          />
          <Button>{t('register.submit')}</Button>
        </Form>
        <Aside title={t('register.whereTitle')}>
          <p>{t('register.where')}</p>
        </Aside>
        <Aside title={t('register.noneTitle')}>
          <p>{t('register.none')}</p>
        </Aside>
        <Aside title={t('register.haveAccount')}>
          <Link href={signInHref} class="pa-row-link">
            {t('register.signIn')}
          </Link>
        </Aside>
      </Card>
    </Document>
  );
}

export interface WaitingProps {
  readonly view: View;
  /** Where the code is posted. */
  readonly action: string;
  readonly errors: FieldErrors<'code'>;
  /** How long a throttled person should wait. */
  readonly waitMinutes?: number | undefined;
  readonly feeds: ReadonlyArray<{
    readonly label: string;
    readonly loadedAt: Date | null;
    readonly nextAt: Date | null;
  }>;
  readonly signInHref: string;
  readonly againHref: string;
}

/** The one page on which everybody waits, whoever they are and whatever was found. */
export function WaitingPage(props: WaitingProps): JSX.Element {
  const { view, action, errors, waitMinutes, feeds, signInHref, againHref } = props;
  const { t } = view;
  return (
    <Document view={view} title={t('waiting.title')} hasErrors={hasErrors(errors)}>
      {waitMinutes !== undefined && (
        <Notice kind="warning">
          <p>{t('waiting.throttled', { minutes: waitMinutes })}</p>
        </Notice>
      )}
      <ErrorSummary view={view} errors={errors} />
      <Card title={t('waiting.title')}>
        <p class="pa-lead">{t('waiting.lead')}</p>
        <p class="pa-text">{t('waiting.do')}</p>
        <Form action={action}>
          <CodeField
            view={view}
            name="code"
            kind="message"
            label={t('field.code')}
            hint={t('waiting.codeHint')}
            error={errors.code}
          />
          <div class="pa-alert pa-alert--warning">
            <p>{t('waiting.neverShare')}</p>
          </div>
          <Button>{t('waiting.submit')}</Button>
        </Form>
        <Aside title={t('waiting.elsewhere')}>
          <Link href={signInHref} class="pa-row-link">
            {t('waiting.signIn')}
          </Link>
        </Aside>
        <Aside title={t('waiting.noMailTitle')}>
          <ul class="pa-list">
            <li>{t('waiting.checkSpam')}</li>
            <li>{t('waiting.checkTyping')}</li>
          </ul>
          <Link href={againHref} class="pa-row-link">
            {t('waiting.again')}
          </Link>
        </Aside>
        <Aside title={t('waiting.askTitle')}>
          <ul class="pa-list">
            <li>{t('waiting.askEmail')}</li>
            <li>{t('waiting.askPhone')}</li>
            <li>{t('waiting.askFix')}</li>
          </ul>
        </Aside>
        <Feeds view={view} feeds={feeds} />
      </Card>
    </Document>
  );
}

/** When each school system was last heard and is heard next. */
function Feeds({ view, feeds }: Pick<WaitingProps, 'view' | 'feeds'>): JSX.Element | null {
  const { t, locale, timeZone } = view;
  if (feeds.length === 0) return null;
  return (
    <Aside title={t('waiting.feedsTitle')}>
      <p>{t('waiting.feedsLead')}</p>
      <dl class="pa-feeds">
        {feeds.map(({ label, loadedAt, nextAt }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {loadedAt === null
                ? t('waiting.feedNever')
                : t('waiting.feedLast', { time: formatDateTime(loadedAt, locale, timeZone) })}
            </dd>
            {nextAt !== null && <dd>{t('waiting.feedNext', { time: formatDateTime(nextAt, locale, timeZone) })}</dd>}
          </div>
        ))}
      </dl>
    </Aside>
  );
}
