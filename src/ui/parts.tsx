import type { ComponentChildren, JSX } from 'preact';
import type { MessageValues } from '../locales/translate.js';
import { fieldId } from './fields.js';
import type { FieldErrors } from './fields.js';
import { safeUrl } from './safe-url.js';
import type { View } from './view.js';

/**
 * All that is wrong with a form, on top of the page and each linked to its field. It takes the focus when the page opens,
 * so that a screen reader begins with it. Nothing if there are no errors.
 */
export function ErrorSummary<Name extends string>({
  view,
  errors,
  values,
}: {
  readonly view: View;
  readonly errors: FieldErrors<Name>;
  readonly values?: MessageValues;
}): JSX.Element | null {
  const found = fieldErrors(errors);
  if (found.length === 0) return null;
  return (
    <div class="pa-alert pa-alert--error" role="alert" tabindex={-1} autofocus aria-labelledby="error-summary">
      <h2 class="pa-alert__title" id="error-summary">
        {view.t('form.problems', { count: found.length })}
      </h2>
      <ul class="pa-plain-list">
        {found.map(([name, error]) => (
          <li key={name}>
            <a href={`#${fieldId(name)}`}>{view.t(error, values)}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Whether a form has errors. */
export function hasErrors<Name extends string>(errors: FieldErrors<Name>): boolean {
  return fieldErrors(errors).length > 0;
}

function fieldErrors<Name extends string>(errors: FieldErrors<Name>) {
  return Object.entries<FieldErrors<Name>[Name]>(errors).flatMap(([name, error]) =>
    error === undefined ? [] : [[name, error] as const],
  );
}

/** A box that says one thing: what happened (`info`, `success`), or what to mind (`warning`). */
export function Notice({
  kind,
  children,
}: {
  readonly kind: 'info' | 'success' | 'warning';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`pa-alert pa-alert--${kind}`} role={kind === 'warning' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/**
 * A form that posts. The browser's own checks are off: their bubbles vanish and speak the browser's language, not the page's.
 *
 * @param hidden values that travel along unseen
 */
export function Form({
  action,
  hidden = {},
  children,
}: {
  readonly action: string;
  readonly hidden?: Readonly<Record<string, string>>;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <form class="pa-form" method="post" action={safeUrl(action)} noValidate>
      {Object.entries(hidden).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {children}
    </form>
  );
}

/** A link; where the address may not be linked to, only its text. */
export function Link({
  href,
  children,
  class: className,
}: {
  readonly href: string | null | undefined;
  readonly children: ComponentChildren;
  readonly class?: string;
}): JSX.Element {
  const safe = safeUrl(href);
  return safe === undefined ? (
    <span>{children}</span>
  ) : (
    <a class={className ?? 'usa-link'} href={safe}>
      {children}
    </a>
  );
}

/** A link that looks like a button, for a next step that sends nothing. */
export function ButtonLink({
  href,
  children,
  kind = 'primary',
}: {
  readonly href: string;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'secondary';
}): JSX.Element {
  return (
    <Link href={href} class={kind === 'primary' ? 'usa-button' : 'usa-button usa-button--outline'}>
      {children}
    </Link>
  );
}

/** A page's one card, with its title. */
export function Card({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="pa-card">
      <h1 class="pa-title">{title}</h1>
      {children}
    </div>
  );
}

/** What belongs to a page but is not its task, under a line. */
export function Aside({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="pa-aside">
      <h2 class="pa-subtitle">{title}</h2>
      {children}
    </section>
  );
}
