import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { holdsOn } from './entitlement.js';

/** What a contact can come to by itself, in the order in which the reports show it. */
export const contactStates = [
  'registrable',
  'registered',
  'no_email',
  'invalid_email',
  'invalid_phone',
  'shared_address',
  'restricted',
  'no_right',
  'not_current',
] as const;
export type ContactState = (typeof contactStates)[number];

export interface StatesQuestion {
  /** `YYYY-MM-DD` in the district's time zone. */
  today: string;
  /** Lower-case domain names. */
  studentDomains: readonly string[];
  /** Which contacts `c`. It must take all or none of those with one address, because they decide about each other. */
  within: RawBuilder<unknown>;
}

/**
 * The state of each contact: the one source for reports, pages and invitations. It says what registration would do with the
 * contact's own address and the best of its phones (src/accounts/decide-registration.ts), and the first of these that holds:
 *
 * - `not_current`: in no feed any more
 * - `registered`: an account has proven it
 * - `restricted`: an order or a hold on any of its children, also one whose relationship ended
 * - `no_right`: to no child, today; before what is wrong with the address, because correcting that would change nothing
 * - `no_email`, or `invalid_email`: none that can be used; a student's address counts as invalid
 * - `invalid_phone`: no number that can be dialled
 * - `registrable`: with one of its phones, registering leads to an activation
 * - `registered`: with one of its phones, the same person (equal name) has an account by another contact
 * - `restricted`: the same person, as another contact, is restricted
 * - `shared_address`: others have the same address and phone, and who is meant cannot be told
 *
 * @returns a query, to be selected from: `contact_id, sis, email, name_key, language, restricted, state, changed_at`; set-based, one pass
 */
export function statesOfContacts({ today, studentDomains, within }: StatesQuestion): RawBuilder<unknown> {
  return sql`(
    with judged as materialized (
      select c.id as contact_id, c.sis, c.email, c.email_problem, c.name_key, c.language, c.current,
        p.account_id is not null as proven,
        coalesce(bool_or(rr.held or rr.restricted_from <= ${today}::date), false) as restricted,
        coalesce(bool_or(rr.active and rr.has_right and not rr.held and ${holdsOn('rr', today)}), false) as has_right,
        greatest(c.facts_loaded_at, c.email_loaded_at, max(rr.facts_loaded_at)) as changed_at
      from contacts c left join proven_contacts p on p.contact_id = c.id
        left join relationship_rights rr on rr.contact_id = c.id
      where ${within}
      group by c.id, p.account_id
    ), met as (
      -- Everybody whom somebody can mean who types this address and this phone.
      select j.contact_id, n.loaded_at,
        bool_or(j.restricted) over pair or min(j.name_key) over pair <> max(j.name_key) over pair as refused,
        bool_or(j.restricted) over person as restricted,
        bool_or(j.proven) over pair as proven
      from judged j join contact_phones n on n.contact_id = j.contact_id and n.e164 is not null
      where j.current and j.email is not null and (j.has_right or j.restricted)
      window pair as (partition by j.email collate "C", n.e164 collate "C"),
        person as (partition by j.email collate "C", n.e164 collate "C", j.name_key collate "C")
    ), reached as (
      select contact_id, max(loaded_at) as loaded_at, bool_or(not refused and not proven) as registrable,
        bool_or(not refused and proven) as registered, bool_or(refused and restricted) as restricted
      from met group by contact_id
    )
    select j.contact_id, j.sis, j.email, j.name_key, j.language, j.restricted,
      greatest(j.changed_at, r.loaded_at) as changed_at,
      case
        when not j.current then 'not_current'
        when j.proven then 'registered'
        when j.restricted then 'restricted'
        when not j.has_right then 'no_right'
        when j.email is null and coalesce(j.email_problem, 'missing') in ('missing', 'placeholder') then 'no_email'
        when j.email is null or exists (select 1 from students s where s.email_normal = j.email offset 0)
          or exists (select 1 from unnest(${[...studentDomains]}::text[]) as d
            where '.' || split_part(j.email, '@', 2) like '%.' || d) then 'invalid_email'
        when r.contact_id is null then 'invalid_phone'
        when r.registrable then 'registrable'
        when r.registered then 'registered'
        when r.restricted then 'restricted'
        else 'shared_address'
      end as state
    from judged j left join reached r on r.contact_id = j.contact_id
  )`;
}
