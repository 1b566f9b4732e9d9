import type { HTMLElement } from 'node-html-parser';

/** What a person puts into a form: text, a choice of a radio or a select, or ticked (true) and not ticked (false). */
export type FormFields = Record<string, string | boolean>;

export interface FilledForm {
  method: 'GET' | 'POST';
  /** As written in the page: to be resolved against its address. */
  action: string;
  /** Pairs in document order, as the browser would send them. */
  pairs: Array<[string, string]>;
}

const kinds = 'input, select, textarea, button';

function isButton(element: HTMLElement): boolean {
  const type = element.getAttribute('type')?.toLowerCase();
  if (element.tagName === 'BUTTON') return type === undefined || type === 'submit';
  return element.tagName === 'INPUT' && (type === 'submit' || type === 'image');
}

function selectedOption(select: HTMLElement): string {
  const options = select.querySelectorAll('option');
  const option = options.find((candidate) => candidate.hasAttribute('selected')) ?? options[0];
  return option?.getAttribute('value') ?? option?.text ?? '';
}

function typedValue(control: HTMLElement, given: string | boolean | undefined): string | null {
  const type = control.getAttribute('type')?.toLowerCase() ?? 'text';
  const own = control.getAttribute('value');
  if (type === 'checkbox' || type === 'radio') {
    const value = own ?? 'on';
    const ticked =
      given === undefined ? control.hasAttribute('checked') : typeof given === 'boolean' ? given : given === value;
    return ticked ? value : null;
  }
  if (typeof given === 'string') return given;
  if (control.tagName === 'TEXTAREA') return control.text;
  return control.tagName === 'SELECT' ? selectedOption(control) : (own ?? '');
}

/** The controls that belong to a form, those that name it by `form="ID"` included, in document order. */
function controlsOf(form: HTMLElement): HTMLElement[] {
  let root = form;
  while (root.parentNode !== null) root = root.parentNode;
  const own = new Set(form.querySelectorAll(kinds));
  const id = form.getAttribute('id');
  return root.querySelectorAll(kinds).filter((it) => {
    const owner = it.getAttribute('form');
    return owner === undefined ? own.has(it) : owner === id;
  });
}

/**
 * Fills a form as a person would and serialises it as a browser does (HTML, "constructing the entry list").
 *
 * @param button the `name=value` or the text of the button to press; the first one unless told otherwise
 * @throws when the form has no such field or button: a person could not have filled it
 */
export function fillForm(form: HTMLElement, fields: FormFields, button?: string): FilledForm {
  const controls = controlsOf(form).filter((it) => !it.hasAttribute('disabled'));
  const names = new Set(controls.filter((it) => !isButton(it)).map((it) => it.getAttribute('name')));
  const missing = Object.keys(fields).filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new Error(`The form has no field ${missing.join(', ')}; it has ${[...names].join(', ') || 'none'}.`);
  }

  const buttons = controls.filter(isButton);
  const wording = (it: HTMLElement): string => (it.getAttribute('value') ?? it.text).trim();
  const pressed =
    button === undefined
      ? buttons[0]
      : buttons.find(
          (it) => `${it.getAttribute('name')}=${it.getAttribute('value')}` === button || it.text.trim() === button,
        );
  if (button !== undefined && pressed === undefined) {
    throw new Error(`The form has no button ${button}; it has ${buttons.map(wording).join(', ') || 'none'}.`);
  }

  const pairs: Array<[string, string]> = [];
  for (const control of controls) {
    const name = control.getAttribute('name');
    if (name === undefined || name === '') continue;
    const value = isButton(control)
      ? control === pressed
        ? (control.getAttribute('value') ?? '')
        : null
      : typedValue(control, fields[name]);
    if (value !== null) pairs.push([name, value]);
  }
  const method = pressed?.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get';
  return {
    method: method.toLowerCase() === 'post' ? 'POST' : 'GET',
    action: pressed?.getAttribute('formaction') ?? form.getAttribute('action') ?? '',
    pairs,
  };
}
