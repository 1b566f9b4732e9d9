import { dictionary } from '@zxcvbn-ts/language-common';
import { values } from '../values.js';

/** Why a password is not accepted. */
export type PasswordProblem = 'missing' | 'short' | 'long' | 'common' | 'personal';

/** Words that everybody tries first at a school district, of its apps too; none of them begins or ends another. */
const districtWords = [
  'access',
  'angeles',
  'cafeteria',
  'contrasena',
  'distrito',
  'district',
  'echoices',
  'escuelas?',
  'family',
  'isis',
  'lausd',
  'los',
  'module',
  'padres',
  'parents?',
  'password',
  'schools?',
  'students?',
  'unified',
];
/** Nothing but such words, one after the other. */
const districtOnly = new RegExp(`^(?:${districtWords.join('|')})+$`);
const common = new Set<string>(Object.values(dictionary).flat().map(String));

/** The shortest piece that the text repeats: `abcabcabc` gives `abc`. */
function repeatedPiece(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const piece = text.slice(0, length);
    if (text.length % length === 0 && piece.repeat(text.length / length) === text) return piece;
  }
  return text;
}

function isRun(text: string): boolean {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const step = (points[1] ?? 0) - (points[0] ?? 0);
  return (
    Math.abs(step) === 1 && points.every((point, index) => index === 0 || point - (points[index - 1] ?? 0) === step)
  );
}

/** The keys of a keyboard in their order: along the rows, and down the columns. */
const walks = [
  '1234567890qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1234567890123456789012345678901234567890',
];
const keyboards = walks.flatMap((walk) => [walk, Array.from(walk).toReversed().join('')]);

function isKeyboardWalk(text: string): boolean {
  return text.length >= 8 && keyboards.some((walk) => walk.includes(text));
}

/**
 * Judges a password by NIST SP 800-63B-4 §3.1.1.2: length and a blocklist (common passwords, the district's words, the
 * person's own sign-in), no composition rules.
 *
 * @param own what the person signs in with
 * @returns null when it is accepted
 */
export function passwordProblem(password: string, own: readonly string[]): PasswordProblem | null {
  const normal = password.normalize('NFKC');
  const length = Array.from(normal).length;
  if (length === 0) return 'missing';
  if (length < values.passwordLength) return 'short';
  if (length > values.passwordMaximum) return 'long';
  const plain = normal.toLowerCase();
  const letters = plain.replaceAll(/[\p{P}\p{S}\s\d]/gu, '');
  const pieces = [plain, letters, repeatedPiece(plain), repeatedPiece(letters), plain.replace(/[\d\p{P}\p{S}]+$/u, '')];
  const mine = own.flatMap((text) => [text.toLowerCase(), text.toLowerCase().split('@')[0] ?? '']);
  if (pieces.some((piece) => piece.length > 3 && mine.includes(piece))) return 'personal';
  return pieces.some((piece) => common.has(piece) || isKeyboardWalk(piece)) ||
    districtOnly.test(letters.normalize('NFD').replaceAll(/\p{M}/gu, '')) ||
    isRun(plain) ||
    repeatedPiece(plain).length < 4
    ? 'common'
    : null;
}
