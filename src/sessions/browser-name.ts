import Bowser from 'bowser';

/** The longest header that is looked at, in characters. */
const longest = 512;
/** Of what is not known, the library repeats what the header says. */
const known = new Set([...Object.values(Bowser.BROWSER_MAP), ...Object.values(Bowser.OS_MAP)]);

/**
 * Names a browser and its system in coarse words, by which a person knows their own devices: "Chrome, Android". No version and no
 * model: more would only help to follow somebody.
 *
 * @returns null when the header says nothing that is known
 */
export function browserName(userAgent: string): string | null {
  if (userAgent === '') return null;
  const { browser, os } = Bowser.parse(userAgent.slice(0, longest));
  const names = [browser.name, os.name].filter((name) => name !== undefined && known.has(name));
  return names.length === 0 ? null : names.join(', ');
}
