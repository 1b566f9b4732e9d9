import type { ComponentChildren, JSX } from 'preact';
import type { ErrorKey, MessageValues } from '../locales/translate.js';
import type { View } from './view.js';

/** What is wrong with which field, by the field's name. */
export type FieldErrors<Name extends string> = Readonly<Partial<Record<Name, ErrorKey>>>;

interface FieldProps {
  readonly view: View;
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: ErrorKey | undefined;
  /** What the error's text is filled with. */
  readonly errorValues?: MessageValues | undefined;
}

interface TextFieldProps extends FieldProps {
  readonly value?: string | undefined;
  readonly type?: 'text' | 'email' | 'tel';
  readonly autocomplete: string;
  readonly inputmode?: 'text' | 'email' | 'tel' | 'numeric';
  readonly maxLength?: number;
  /** For names and codes, which are not words. */
  readonly spellcheck?: boolean;
}

/** The id of a field's input, for labels and for links from the error summary. */
export function fieldId(name: string): string {
  return `field-${name}`;
}

function describedBy({ name, hint, error }: FieldProps): string | undefined {
  const ids = [
    ...(hint === undefined ? [] : [`${fieldId(name)}-hint`]),
    ...(error === undefined ? [] : [`${fieldId(name)}-error`]),
  ];
  return ids.length === 0 ? undefined : ids.join(' ');
}

function Field({ children, ...props }: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  const { view, name, label, hint, error, errorValues } = props;
  const id = fieldId(name);
  return (
    <div class={error === undefined ? 'usa-form-group' : 'usa-form-group usa-form-group--error'}>
      <label class={error === undefined ? 'usa-label' : 'usa-label usa-label--error'} for={id}>
        {label}
      </label>
      {hint !== undefined && (
        <span class="usa-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error !== undefined && (
        <span class="usa-error-message" id={`${id}-error`}>
          <span class="usa-sr-only">{view.t('form.errorPrefix')} </span>
          {view.t(error, errorValues)}
        </span>
      )}
      {children}
    </div>
  );
}

/** One line of text, with its label, hint and error joined for screen readers. Names and addresses are never "corrected". */
export function TextField(props: TextFieldProps): JSX.Element {
  const { name, value, type = 'text', autocomplete, inputmode, maxLength = 254, error } = props;
  const common = {
    class: error === undefined ? 'usa-input' : 'usa-input usa-input--error',
    id: fieldId(name),
    name,
    value: value ?? '',
    autocomplete,
    inputmode,
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: props.spellcheck ?? false,
    maxlength: maxLength,
    'aria-describedby': describedBy(props),
    'aria-invalid': error === undefined ? undefined : 'true',
  } as const;
  return (
    <Field {...props}>
      {type === 'email' && <input type="email" {...common} />}
      {type === 'tel' && <input type="tel" {...common} />}
      {type === 'text' && <input type="text" {...common} />}
    </Field>
  );
}

/** A password. What was typed never comes back; pasting is allowed, and there is no length at which typing just stops. */
export function PasswordField(
  props: FieldProps & { readonly autocomplete: 'current-password' | 'new-password' },
): JSX.Element {
  const { name, autocomplete, error } = props;
  return (
    <Field {...props}>
      <input
        class={error === undefined ? 'usa-input' : 'usa-input usa-input--error'}
        id={fieldId(name)}
        name={name}
        type="password"
        autocomplete={autocomplete}
        autocapitalize="none"
        autocorrect="off"
        spellcheck={false}
        aria-describedby={describedBy(props)}
        aria-invalid={error === undefined ? undefined : 'true'}
      />
      <button
        class="pa-show-password"
        type="button"
        hidden
        aria-controls={fieldId(name)}
        aria-pressed="false"
        data-show={props.view.t('password.show')}
        data-hide={props.view.t('password.hide')}
      >
        {props.view.t('password.show')}
      </button>
    </Field>
  );
}

/** A code from a message (digits, offered by the phone's keyboard) or from paper (letters and digits). */
export function CodeField(
  props: FieldProps & { readonly value?: string | undefined; readonly kind: 'message' | 'paper' },
): JSX.Element {
  const { name, value, kind, error } = props;
  return (
    <Field {...props}>
      <input
        class={error === undefined ? 'usa-input pa-code-input' : 'usa-input usa-input--error pa-code-input'}
        id={fieldId(name)}
        name={name}
        type="text"
        value={value ?? ''}
        autocomplete={kind === 'message' ? 'one-time-code' : 'off'}
        inputmode={kind === 'message' ? 'numeric' : 'text'}
        autocapitalize={kind === 'message' ? 'none' : 'characters'}
        autocorrect="off"
        spellcheck={false}
        maxlength={64}
        aria-describedby={describedBy(props)}
        aria-invalid={error === undefined ? undefined : 'true'}
      />
    </Field>
  );
}

/** A box to tick; the whole line can be touched. It sends `name=on`, or nothing. */
export function Checkbox({
  name,
  label,
  hint,
  checked,
}: {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly checked?: boolean | undefined;
}): JSX.Element {
  const id = fieldId(name);
  return (
    <div class="pa-choice">
      <input
        type="checkbox"
        id={id}
        name={name}
        checked={checked === true}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
      />
      <div>
        <label for={id}>{label}</label>
        {hint !== undefined && (
          <span class="usa-hint" id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </div>
    </div>
  );
}

/** One of a few answers; each whole line can be touched. It sends `name=value`. */
export function Choices({
  name,
  legend,
  chosen,
  choices,
}: {
  readonly name: string;
  readonly legend: string;
  /** The value that is chosen when the page opens. */
  readonly chosen: string;
  readonly choices: ReadonlyArray<{ readonly value: string; readonly label: string; readonly hint?: string }>;
}): JSX.Element {
  return (
    <fieldset class="pa-choices-set">
      <legend class="usa-label">{legend}</legend>
      {choices.map(({ value, label, hint }) => {
        const id = fieldId(`${name}-${value}`);
        return (
          <div class="pa-choice" key={value}>
            <input
              type="radio"
              id={id}
              name={name}
              value={value}
              checked={value === chosen}
              aria-describedby={hint === undefined ? undefined : `${id}-hint`}
            />
            <div>
              <label for={id}>{label}</label>
              {hint !== undefined && (
                <span class="usa-hint" id={`${id}-hint`}>
                  {hint}
                </span>
              )}
            </div>
          </div>
        );
      })}
    </fieldset>
  );
}

/** A button that sends the form, with a value of its own where a form has several. One primary button a page. */
export function Button({
  children,
  kind = 'primary',
  name,
  value,
}: {
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'secondary';
  readonly name?: string;
  readonly value?: string;
}): JSX.Element {
  return (
    <button
      class={kind === 'primary' ? 'usa-button' : 'usa-button usa-button--outline'}
      type="submit"
      name={name}
      value={value}
    >
      {children}
    </button>
  );
}
