import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { statesOfContacts } from '../../families/contact-states.js';
import type { StatesQuestion } from '../../families/contact-states.js';

export interface InvitableQuestion extends StatesQuestion {
  /** The most contacts that may have one address: a school's own mailbox is repeated for hundreds. */
  sharedLimit: number;
  /** An invitation that is no obstacle: the one that asks. */
  own?: string;
}

/** What stands against a contact because of the person's other contacts: one person gets one invitation, and a restriction is a person's. */
function knownElsewhere(today: string): RawBuilder<unknown> {
  return sql`(
    select distinct st.contact_id from st
      join contact_phones mine on mine.contact_id = st.contact_id join contact_phones theirs on theirs.e164 = mine.e164
      join contacts o on o.id = theirs.contact_id and o.name_key = st.name_key and o.email is distinct from st.email
    where st.state = 'registrable' and (
      -- "offset 0" has each looked up by its index: hashed, as the planner may like it, all relationships would be read each minute.
      (o.current and exists (select 1 from invitations i where i.email = o.email and i.lifted_at is null offset 0))
      or exists (select 1 from proven_contacts p where p.contact_id = o.id offset 0)
      or exists (select 1 from relationship_rights rr where rr.contact_id = o.id
        and (rr.held or rr.restricted_from <= ${today}::date) offset 0)))`;
}

/**
 * The mailboxes that may get an invitation: with a contact that can register, and nobody on it who is restricted or registered; not
 * of an account, not suppressed, not invited before, not of a person who is known by another mailbox. One row a mailbox: two
 * guardians who share one are told nothing about each other, and where their languages differ the letter is in English.
 *
 * @returns a query, to be selected from: `email, changed_at, language`
 */
export function invitableMailboxes(question: InvitableQuestion): RawBuilder<unknown> {
  return sql`(
    with st as materialized (select * from ${statesOfContacts(question)} s where s.email is not null),
    elsewhere as materialized ${knownElsewhere(question.today)},
    mailboxes as (
      select st.email, max(st.changed_at) filter (where st.state = 'registrable') as changed_at,
        case when count(distinct coalesce(st.language, '')) filter (where st.state = 'registrable') = 1
          then min(st.language) filter (where st.state = 'registrable') end as language
      from st left join elsewhere e on e.contact_id = st.contact_id
      group by st.email
      having bool_or(st.state = 'registrable' and e.contact_id is null)
        and not bool_or(st.restricted) and not bool_or(st.state = 'registered')
        and count(*) filter (where st.state <> 'not_current') <= ${question.sharedLimit}
    )
    select m.email, m.changed_at, m.language from mailboxes m
    where not exists (select 1 from invitations i where i.email = m.email and i.lifted_at is null
        and i.id is distinct from ${question.own ?? null}::uuid)
      and not exists (select 1 from mail_suppressions x where x.email = m.email)
      and not exists (select 1 from accounts a where a.email = m.email)
  )`;
}
