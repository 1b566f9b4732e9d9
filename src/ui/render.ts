import { h } from 'preact';
import type { FunctionComponent } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { View } from './view.js';

/** A page: a component that draws a whole document from its own facts and the view. */
export type Page<Props> = FunctionComponent<Props & { readonly view: View }>;

/**
 * A page as HTML, complete from the doctype on. Texts and attributes are escaped.
 *
 * @param page the page's component
 * @param view who reads it
 * @param props the page's own facts
 */
export function renderPage<Props extends object>(page: Page<Props>, view: View, props: Props): string {
  return `<!doctype html>${renderToString(h(page, { ...props, view }))}`;
}
