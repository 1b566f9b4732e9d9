/** What a SIS may call a person, in the words that the rules use. */
export type Relation =
  | 'parent'
  | 'guardian'
  | 'foster_parent'
  | 'step_parent'
  | 'grandparent'
  | 'relative'
  | 'sibling'
  | 'caregiver'
  | 'other';

const relations = new Map<string, Relation>([
  ...(
    [
      'parent',
      'mother',
      'father',
      'mom',
      'dad',
      'adoptive parent',
      'adoptive mother',
      'adoptive father',
      'birth parent',
      'biological parent',
      'madre',
      'padre',
    ] as const
  ).map((word) => [word, 'parent'] as const),
  ...(['guardian', 'legal guardian', 'court appointed guardian', 'conservator', 'tutor', 'tutor legal'] as const).map(
    (word) => [word, 'guardian'] as const,
  ),
  ...(
    ['foster parent', 'foster mother', 'foster father', 'foster carer', 'foster guardian', 'resource parent'] as const
  ).map((word) => [word, 'foster_parent'] as const),
  ...(['step parent', 'stepparent', 'stepmother', 'stepfather', 'step mother', 'step father'] as const).map(
    (word) => [word, 'step_parent'] as const,
  ),
  ...(['grandparent', 'grandmother', 'grandfather', 'abuela', 'abuelo'] as const).map(
    (word) => [word, 'grandparent'] as const,
  ),
  ...(['aunt', 'uncle', 'cousin', 'relative', 'family member', 'tia', 'tio'] as const).map(
    (word) => [word, 'relative'] as const,
  ),
  ...(['brother', 'sister', 'sibling'] as const).map((word) => [word, 'sibling'] as const),
  ...(['caregiver', 'caretaker', 'babysitter', 'child care'] as const).map((word) => [word, 'caregiver'] as const),
]);

/** The relation behind a SIS's word for it; what is not known is `other`, which gives no right by itself. */
export function canonicalRelation(raw: string): Relation {
  const word = raw
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
  return relations.get(word) ?? 'other';
}

export type RestrictionType = 'protection_order' | 'custody' | 'rights_revoked';

const restrictions = new Map<string, RestrictionType>([
  ['custody', 'custody'],
  ['custody order', 'custody'],
  ['custody document', 'custody'],
  ['rights revoked', 'rights_revoked'],
  ['rights terminated', 'rights_revoked'],
  ['termination of rights', 'rights_revoked'],
]);

/** The kind of a restriction; an unknown or unnamed one is treated as a protection order, the strictest (DESIGN, rules of the domain). */
export function canonicalRestriction(raw: string): RestrictionType {
  return (
    restrictions.get(
      raw
        .toLowerCase()
        .replace(/[\s_-]+/g, ' ')
        .trim(),
    ) ?? 'protection_order'
  );
}
