import { z } from 'zod';

/** The facts about a child that an app may ask to be registered for. */
export const studentFacts = ['name', 'school', 'grade', 'relation', 'records', 'pickup', 'meals'] as const;
export type StudentFact = (typeof studentFacts)[number];

export const scopes = ['openid', 'profile', 'email', 'phone', 'offline_access', 'students'] as const;

/** The client of our own pages: an app of this id would be told of everybody who signs in. */
export const portalClient = 'parent-access-portal';

const webAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address', abort: true })
  .refine(isPlain, 'must have no user part, no space, and a host of letters, digits, dots and hyphens alone');
const redirect = webAddress.refine((value) => !value.includes('#'), 'must have no fragment');

/** What `URL` takes and no browser or DNS does, or what would say something else in a policy's list of hosts: `*`, `;`. */
function isPlain(value: string): boolean {
  const { username, password, hostname } = new URL(value);
  return username + password === '' && !/\s/.test(value) && /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(hostname);
}

// What turns the order of reading (Unicode TR 36, 3.4) would make our own sentence around it unreadable.
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const words = z
  .string()
  .min(1)
  .refine((value) => !turning.test(value), 'must have no mark of reading order');
const appName = words.max(80);
const perLanguage = z.object({ en: words, es: words });

/** One app of `clients.json`: standard metadata under its standard names (RFC 7591), and what the district adds. */
export const appSchema = z.strictObject({
  client_id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{2,62}$/, 'must be 3 to 63 of a-z, 0-9 and -')
    .refine((id) => id !== portalClient, 'is the id of our own pages'),
  client_name: appName,
  'client_name#es': appName.optional(),
  redirect_uris: z.array(redirect).min(1),
  post_logout_redirect_uris: z.array(redirect).optional(),
  backchannel_logout_uri: redirect.optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .default('client_secret_basic'),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .default(['authorization_code']),
  response_types: z.array(z.enum(['code', 'none'])).default(['code']),
  scope: z
    .string()
    .refine((value) => value.split(' ').every((scope) => (scopes as readonly string[]).includes(scope)), {
      error: `must be of ${scopes.join(', ')}`,
    })
    .refine((value) => value.split(' ').includes('openid'), { error: 'must hold openid' }),
  subject_type: z.enum(['public', 'pairwise']).default('public'),
  sector_identifier_uri: webAddress.optional(),
  jwks_uri: webAddress.optional(),
  jwks: z
    .object({
      keys: z.array(
        z
          .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) })
          .refine((key) => !('d' in key), 'is a private key: it must be replaced'),
      ),
    })
    .optional(),
  initiate_login_uri: redirect.optional(),
  id_token_signed_response_alg: z.enum(['ES256', 'RS256']).default('ES256'),
  logo_uri: webAddress.optional(),
  client_uri: webAddress.optional(),
  contacts: z.array(z.email()).optional(),
  secrets: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the secret, 64 hex digits'),
        expires_at: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .optional(),
  party: z.enum(['district', 'vendor']),
  student_facts: z.array(z.enum(studentFacts)).default([]),
  tile: z.strictObject({ order: z.number().int(), sentence: perLanguage }).optional(),
  demo: z.boolean().default(false),
});

/** A linked app, as registered. */
export type AppRegistration = z.infer<typeof appSchema>;

const usesSecret = new Set(['client_secret_basic', 'client_secret_post']);

/** What a schema of single fields cannot say; each answer is a path within the app and a reason. */
export function contradictions(app: AppRegistration, production: boolean): Array<[path: string, reason: string]> {
  const found: Array<[string, string]> = [];
  if (app.party === 'vendor' && app.subject_type !== 'pairwise') {
    found.push(['subject_type', 'must be pairwise for a vendor']);
  }
  if (app.student_facts.length > 0 && !app.scope.split(' ').includes('students')) {
    found.push(['student_facts', 'needs the scope students']);
  }
  if (app.token_endpoint_auth_method === 'none' && app.grant_types.includes('client_credentials')) {
    found.push(['grant_types', 'client_credentials needs a secret or key: without one anybody is the app']);
  }
  if (app.demo) {
    if (app.secrets !== undefined) found.push(['secrets', 'a demo app carries none: the start makes its own']);
    return found;
  }
  const seen = new Set<string>();
  for (const [index, { name, sha256 }] of (app.secrets ?? []).entries()) {
    if (seen.has(name)) found.push([`secrets.${index}.name`, 'stands twice: each secret has a name of its own']);
    if (seen.has(sha256)) found.push([`secrets.${index}.sha256`, 'stands twice: each secret has a line of its own']);
    seen.add(name).add(sha256);
  }
  if (usesSecret.has(app.token_endpoint_auth_method) && (app.secrets ?? []).length === 0) {
    found.push(['secrets', 'needs at least one digest: see `parent-access clients secret add`']);
  }
  if (app.token_endpoint_auth_method === 'private_key_jwt' && app.jwks === undefined && app.jwks_uri === undefined) {
    found.push(['jwks_uri', 'is needed for private_key_jwt, or jwks']);
  }
  if (production) {
    if (app.initiate_login_uri === undefined) found.push(['initiate_login_uri', 'is required of every production app']);
    for (const field of [
      'initiate_login_uri',
      'backchannel_logout_uri',
      'jwks_uri',
      'sector_identifier_uri',
      'client_uri',
      'logo_uri',
    ] as const) {
      const value = app[field];
      if (value !== undefined && !value.startsWith('https:')) found.push([field, 'must be an https address']);
    }
    for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
      (app[field] ?? []).forEach((value, index) => {
        if (!value.startsWith('https:')) found.push([`${field}.${index}`, 'must be an https address']);
      });
    }
  }
  return found;
}
