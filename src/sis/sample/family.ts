import { nameKey } from '../../families/names.js';
import type { Column } from '../feeds/columns.js';
import { seeded } from './random.js';
import type { Random } from './random.js';
import {
  domains,
  elementarySchools,
  familyNames,
  givenNames,
  languages,
  notations,
  secondarySchools,
} from './words.js';

export type Sis = 'elementary' | 'secondary';

/** What a family shows. The counts say in how many families each stands; `plain` shows nothing special. */
export const shapes = [
  'both_sis',
  'shared_mailbox',
  'shared_phone',
  'separated',
  'foster',
  'restricted',
  'protected',
  'student_email',
  'missing_email',
  'mistyped_email',
  'grandparent',
  'placeholder_email',
  'explicit_rights',
  'unknown_rights',
  'extension_lost',
] as const;
type Shape = (typeof shapes)[number];

export interface SampleRow {
  sis: Sis;
  cells: Partial<Record<Column, string>>;
}

export interface SampleFamily {
  /** Shapes, `language:xx` and `phone:n` (the notation) that this family shows. */
  shows: Set<string>;
  /** Contacts: persons per SIS. */
  contacts: number;
  rows: SampleRow[];
}

interface Child {
  sis: Sis;
  given: string;
  family: string;
  cells: Partial<Record<Column, string>>;
}

interface Adult {
  given: string;
  family: string;
  email: string;
  phone: string;
  relation: string;
  flags: Partial<Record<Column, string>>;
}

// The school year of the district that does not exist; fixed, so that the same seed gives the same file on every day.
const year = 2026;

/**
 * One family of the district. Every 25 consecutive families show every shape at least once, and every ten all languages, so that each is
 * more than 1 % of the families whatever the size.
 *
 * @param room how many contacts may still be written; a family that needs more comes smaller
 */
export function sampleFamily(seed: number, index: number, room: number): SampleFamily {
  const random = seeded(seed, index);
  const shape = shapes[index % 25];
  const surname = random.pick(familyNames);
  const language = languageOf(index, random);
  const shows = new Set<string>([`language:${language}`]);
  const children = childrenOf(shape, index, surname, random);
  const adults = adultsOf(shape, index, surname, random, shows);
  const rows = joined(children, adults, shape, index, language, random);
  const contacts = new Set(rows.map((row) => `${row.sis} ${row.cells.contact_id ?? ''}`)).size;
  if (contacts > room) return singleFamily(rows, shows);
  if (shape !== undefined) shows.add(shape);
  return { shows, contacts, rows };
}

// What is left of a family when the district is full: one adult and the children of one SIS.
function singleFamily(rows: SampleRow[], shows: Set<string>): SampleFamily {
  const [first] = rows;
  const kept = rows.filter((row) => row.sis === first?.sis && row.cells.contact_id === first.cells.contact_id);
  return { shows, contacts: 1, rows: kept };
}

function languageOf(index: number, random: Random): string {
  // Three families in ten take the ten languages in turn; of the others most speak English, many Spanish.
  if (index % 10 < 3) return languages[(Math.floor(index / 10) * 3 + (index % 10)) % languages.length] ?? 'en';
  return random.below(100) < 58 ? 'en' : 'es';
}

function childrenOf(shape: Shape | undefined, index: number, surname: string, random: Random): Child[] {
  const sis: Sis[] =
    shape === 'both_sis' || shape === 'restricted'
      ? ['elementary', 'secondary']
      : Array.from({ length: 1 + random.below(2) }, () => (random.below(100) < 55 ? 'elementary' : 'secondary'));
  if (shape === 'student_email') sis.splice(0, sis.length, 'secondary');
  return sis.map((where, number) => {
    const grade = where === 'elementary' ? random.below(6) : 6 + random.below(7);
    const schools = where === 'elementary' ? elementarySchools : secondarySchools;
    const school = random.below(schools.length);
    const given = random.pick(givenNames);
    return {
      sis: where,
      given,
      family: surname,
      cells: {
        school_code: `${where === 'elementary' ? '1' : '8'}${String(school + 1).padStart(3, '0')}`,
        school_name: schools[school] ?? schools[0],
        student_id: `S${where === 'elementary' ? '1' : '2'}${String(index * 4 + number + 1).padStart(8, '0')}`,
        student_email: shape === 'student_email' ? `${mailName(given, surname)}${index}@students.example.org` : '',
        grade: grade === 0 ? 'K' : String(grade),
        birth_date: `${year - 6 - grade}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`,
        confidential: shape === 'protected' ? 'yes' : '',
      },
    };
  });
}

function adultsOf(
  shape: Shape | undefined,
  index: number,
  surname: string,
  random: Random,
  shows: Set<string>,
): Adult[] {
  const adult = (number: number, relation: string, family = surname): Adult => {
    const given = random.pick(givenNames);
    return {
      given,
      family,
      email: `${mailName(given, family)}.${index}${number === 0 ? '' : String.fromCharCode(97 + number)}@${random.pick(domains)}`,
      phone: phoneOf(index * 2 + number, random, shows),
      relation,
      flags: {},
    };
  };
  const first = adult(0, random.pick(['mother', 'father', 'parent']));
  const second = adult(1, random.pick(['father', 'mother', 'guardian']), random.pick(familyNames));
  switch (shape) {
    case 'shared_mailbox':
      return [first, { ...distinctFrom(first, second), email: first.email }];
    case 'shared_phone':
      return [first, { ...distinctFrom(first, second), phone: first.phone }];
    case 'separated':
      return [
        { ...first, flags: { lives_with: 'yes' } },
        { ...second, flags: { lives_with: 'no', ed_rights: 'yes', pickup_ok: '' } },
      ];
    case 'foster':
      return [{ ...second, relation: 'foster parent', flags: { ed_rights: 'yes', lives_with: 'yes' } }];
    case 'restricted':
      return [
        first,
        {
          ...distinctFrom(first, second),
          flags: {
            restricted: 'yes',
            restriction_type: 'protection_order',
            restriction_start: `${year}-02-01`,
            lives_with: 'no',
            pickup_ok: 'no',
          },
        },
      ];
    case 'missing_email':
      return [{ ...first, email: '' }];
    case 'mistyped_email':
      return [
        {
          ...first,
          email: random.pick([
            first.email.replace('@', ' at '),
            first.email.replace(/\.(\w+)$/, ',$1'),
            ` ${first.email.toUpperCase()}.`,
          ]),
        },
      ];
    case 'placeholder_email':
      return [{ ...first, email: random.pick(['none@none.com', 'N/A', 'noemail@noemail.com']) }];
    case 'grandparent':
      return [first, { ...second, relation: 'grandmother', flags: { is_emergency: 'yes', pickup_ok: 'yes' } }];
    case 'explicit_rights':
    case 'both_sis':
      return [{ ...first, flags: { ed_rights: 'yes', is_legal_guardian: 'yes', portal_access: 'yes' } }];
    case 'unknown_rights':
      return [{ ...first, flags: { ed_rights: '', is_legal_guardian: '', portal_access: '' } }];
    case 'extension_lost':
      return [
        {
          ...first,
          phone: first.phone
            .replace(/\D/g, '')
            .slice(-7)
            .replace(/^(\d{3})/, '$1-'),
        },
      ];
    default:
      return random.below(100) < 55 ? [first] : [first, second];
  }
}

// A shared mailbox is shared by two people, so their names must not fall together.
function distinctFrom(first: Adult, second: Adult): Adult {
  return nameKey(first.given, first.family) === nameKey(second.given, second.family)
    ? { ...second, given: `${second.given} Luz` }
    : second;
}

function joined(
  children: Child[],
  adults: Adult[],
  shape: Shape | undefined,
  index: number,
  language: string,
  random: Random,
): SampleRow[] {
  const modified = `${year}-${two(8 + random.below(3))}-${two(1 + random.below(28))}T08:${two(random.below(60))}:00Z`;
  return children.flatMap((child) =>
    adults.flatMap((adult, number): SampleRow[] => {
      // The order stands in one SIS only; that it crosses to the other is the rule to be seen.
      const flags = shape === 'restricted' && number === 1 && child.sis === 'secondary' ? {} : adult.flags;
      const cells = sampleCells(child, adult, {
        contactId: `C${child.sis === 'elementary' ? '1' : '2'}${String(index * 2 + number + 1).padStart(8, '0')}`,
        language,
        modified,
        priority: number + 1,
      });
      return [{ sis: child.sis, cells: { ...cells, ...flags } }];
    }),
  );
}

/** The cells of one pair, with the flags as a school fills them in when nothing is special. */
export function sampleCells(
  child: Pick<Child, 'sis' | 'given' | 'family' | 'cells'>,
  adult: Omit<Adult, 'flags'>,
  row: { contactId: string; language: string; modified: string; priority: number },
): Partial<Record<Column, string>> {
  return {
    sis: child.sis,
    ...child.cells,
    student_given_name: child.given,
    student_family_name: child.family,
    contact_id: row.contactId,
    given_name: adult.given,
    family_name: adult.family,
    relation: adult.relation,
    email: adult.email,
    phone1: adult.phone,
    phone1_type: 'mobile',
    language: row.language,
    priority: String(row.priority),
    is_emergency: 'yes',
    lives_with: 'yes',
    pickup_ok: 'yes',
    restricted: adult.relation === 'grandmother' ? '' : 'no',
    start_date: `${year}-08-10`,
    last_modified: row.modified,
  };
}

function mailName(given: string, family: string): string {
  return nameKey(given, family).replace(/[^a-z]+/g, '.');
}

// Area code 555 is assigned to nobody: eight million numbers that no telephone has.
function phoneOf(number: number, random: Random, shows: Set<string>): string {
  const digits = String(2_000_000 + (number % 7_900_000));
  const notation = random.below(notations.length);
  shows.add(`phone:${notation}`);
  return (notations[notation] ?? notations[0])('555', digits.slice(0, 3), digits.slice(3));
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
