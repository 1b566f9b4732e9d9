/** One defence, how it is taken out, and the test that must fail without it. */
export interface Defence {
  /** The row of the threats that the test is named for. */
  row: number;
  what: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replacement: string;
  test: string;
  /** A pattern of the tests' names; all of the file unless told otherwise. */
  named?: string;
}

const place = '  Object.assign(provider.Client.prototype, { compareClientSecret: compare });\n';

/** What the library itself does is taken out by writing over it, where we write over its comparison of secrets. */
export function library(statement: string): Pick<Defence, 'file' | 'find' | 'replacement'> {
  return { file: 'src/provider/provider.ts', find: place, replacement: `${place}  ${statement}\n` };
}
