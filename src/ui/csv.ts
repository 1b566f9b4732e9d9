/**
 * Lines of cells as CSV (RFC 4180): CRLF after each line, quotes where a cell needs them. A text that a spreadsheet would take for a
 * formula is prefixed with an apostrophe (OWASP, CSV Injection), so that an imported name never computes at whoever opens the file.
 *
 * @param rows the header first; numbers are ours and stand as they are
 */
export function csv(rows: ReadonlyArray<ReadonlyArray<string | number>>): string {
  return rows.map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
