/**
 * One form of a person's name for comparing: no case, no accents, no invisible characters, no hyphens or apostrophes, spaces collapsed.
 * "María-José  O’Neill" and "maria jose oneill" are equal.
 */
export function nameKey(given: string, family: string): string {
  const text = `${given} ${family}`;
  const plain = /^[A-Za-z ]*$/.test(text) ? text : unaccented(text);
  return plain.toLowerCase().replace(/\s+/g, ' ').trim();
}

function unaccented(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(/['’‘ʼ`´.]/g, '')
    .replace(/[\p{Pd}_,]/gu, ' ')
    .replace(/ß/g, 'ss')
    .replace(/[øØ]/g, 'o')
    .replace(/[đĐ]/g, 'd')
    .replace(/[łŁ]/g, 'l')
    .replace(/ı/g, 'i')
    .replace(/[æÆ]/g, 'ae');
}
