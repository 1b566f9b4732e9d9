import Bowser from 'bowser';

/** The longest header that is looked at, in characters. */
const longest = 512;

/**
 * Names a browser and its system in coarse words, by which a person knows their own devices: "Chrome, Android". No version and no
 * model: more would only help to follow somebody.
 *
 * @returns null when the header says nothing that is known
 */
export function browserName(userAgent: string): string | null {
  if (userAgent === '') return null;
  const { browser, os } = Bowser.parse(userAgent.slice(0, longest));
  const names = [browser.name, os.name].filter((name) => name !== undefined && name !== '');
  return names.length === 0 ? null : names.join(', ').slice(0, 60);
}
