import { errors } from 'oidc-provider';

/** A claim, what is asked of it, and a list of values (OpenID Connect Core §5.5.1), with as much again for what others may add. */
const deepest = 8;

const isStructure = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Refuses a `claims` parameter whose nesting would exhaust the stack of whatever walks through it.
 *
 * @param claims as parsed; walked through level by level here
 * @throws InvalidRequest
 */
export function refuseDeepClaims(claims: object): void {
  let level: object[] = [claims];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === deepest) throw new errors.InvalidRequest('claims parameter is nested too deeply');
    level = level.flatMap((structure) => Object.values(structure).filter(isStructure));
  }
}
