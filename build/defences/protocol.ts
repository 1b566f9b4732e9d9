import { library } from './defence.js';
import type { Defence } from './defence.js';

/** The library refuses alg none in two places behind each other: it is taken when its signature is made for it in between. */
const signedForNobody = `
  const { generateKeyPairSync, sign } = process.getBuiltinModule('node:crypto');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const nobody = { alg: 'ES256', kid: 'nobody' };
  const audience = provider.OIDCContext.prototype.clientJwtAuthExpectedAudience;
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = function () {
    const [head, payload] = this.params.client_assertion.split('.');
    if (atob(head).includes('"none"')) {
      this.client.asymmetricKeyStore.add({ ...publicKey.export({ format: 'jwk' }), ...nobody, use: 'sig' });
      const text = btoa(JSON.stringify(nobody)).replaceAll('=', '') + '.' + payload;
      const signature = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      this.params.client_assertion = text + '.' + signature.toString('base64url');
    }
    return audience.call(this);
  };`;

/** What keeps apps, requests and forms in order: rows 1 to 8. */
export const protocol: readonly Defence[] = [
  {
    row: 1,
    what: 'redirect addresses are compared with the registered ones',
    ...library('Object.assign(provider.Client.prototype, { redirectUriAllowed: () => true });'),
    test: 'test/attacks/row-01-requests.test.ts',
    named: 'row 1: a redirect_uri',
  },
  {
    row: 2,
    what: 'post-logout addresses are compared with the registered ones',
    ...library('Object.assign(provider.Client.prototype, { postLogoutRedirectUriAllowed: () => true });'),
    test: 'test/attacks/row-02-sign-out.test.ts',
    named: 'with a hint and with a client_id',
  },
  {
    row: 2,
    what: 'the signature of an id_token_hint',
    ...library('Object.assign(provider.IdToken, { validate: async () => ({}) });'),
    test: 'test/attacks/row-02-sign-out.test.ts',
    named: 'a hint that was modified',
  },
  {
    row: 3,
    what: 'one of several who bring a code wins',
    file: 'src/provider/adapter.ts',
    find: "if (!first && singleUse.has(kind)) throw new errors.InvalidGrant('already used');",
    replacement: 'if (singleUse.has(kind)) return;',
    test: 'test/provider/races.test.ts',
  },
  {
    row: 4,
    what: 'PKCE of every app',
    file: 'src/provider/configuration.ts',
    find: 'pkce: { required: () => true }',
    replacement: 'pkce: { required: () => false }',
    test: 'test/attacks/row-01-requests.test.ts',
    named: 'without PKCE',
  },
  {
    row: 4,
    what: 'an app asks after its own tokens only',
    file: 'src/provider/configuration.ts',
    find: '    introspection: {\n      enabled: true,\n      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,',
    replacement: '    introspection: {\n      enabled: true,\n      allowedPolicy: () => true,',
    test: 'test/attacks/row-01-requests.test.ts',
    named: 'nothing to another app',
  },
  {
    row: 4,
    what: 'an app ends its own tokens only',
    file: 'src/provider/configuration.ts',
    find: '    revocation: {\n      enabled: true,\n      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,',
    replacement: '    revocation: {\n      enabled: true,\n      allowedPolicy: () => true,',
    test: 'test/attacks/row-01-requests.test.ts',
    named: 'nothing to another app',
  },
  {
    row: 5,
    what: 'alg none in an assertion',
    ...library(signedForNobody),
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'alg none',
  },
  {
    row: 5,
    what: 'alg none in an id_token_hint',
    ...library(
      "const { validate } = provider.IdToken; provider.IdToken.validate = async (jwt, client) => (atob(jwt.split('.')[0]).includes('none') ? {} : validate(jwt, client));",
    ),
    test: 'test/attacks/row-02-sign-out.test.ts',
    named: 'a hint that was modified',
  },
  {
    row: 5,
    what: 'one of several equal assertions at one instant is taken',
    file: 'src/sessions/artifacts.ts',
    find: "if (kind === 'ReplayDetection' && rows.length === 0) throw new MarkedBefore();",
    replacement: '',
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'twenty times',
  },
  {
    row: 5,
    what: 'the jti of an assertion is remembered',
    file: 'src/provider/provider.ts',
    find: 'return await unique.apply(provider.ReplayDetection, assertion);',
    replacement: 'return true;',
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'used before',
  },
  {
    row: 5,
    what: 'an assertion lives an hour at most',
    file: 'src/provider/configuration.ts',
    find: 'Date.now() / 1000 + values.assertion',
    replacement: 'Infinity',
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'longer than an hour',
  },
  {
    row: 5,
    what: 'the key set is the app’s own',
    file: 'src/provider/metadata.ts',
    find: '    ...standard,\n',
    replacement:
      "    ...standard,\n    ...(app.jwks_uri === undefined ? {} : { jwks_uri: app.jwks_uri.replace('warehouse', 'neighbour') }),\n",
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'a foreign key',
  },
  {
    row: 5,
    what: 'the audience of an assertion',
    ...library(
      'Object.assign(provider.OIDCContext.prototype, { clientJwtAuthExpectedAudience: () => ({ has: () => true }) });',
    ),
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'another audience',
  },
  {
    row: 5,
    what: 'the Host guard: behind it the library makes its own address of the Host',
    file: 'src/http/host.ts',
    find: '(!probe && ctx.req.headers.host?.toLowerCase() !== host)',
    replacement: 'false',
    test: 'test/attacks/row-05-assertions.test.ts',
    named: 'another audience',
  },
  {
    row: 6,
    what: 'the Host guard',
    file: 'src/http/host.ts',
    find: '(!probe && ctx.req.headers.host?.toLowerCase() !== host)',
    replacement: 'false',
    test: 'test/attacks/row-01-requests.test.ts',
    named: 'row 6: a Host',
  },
  {
    row: 7,
    what: 'the cookies of interactions are signed',
    file: 'src/provider/configuration.ts',
    find: "short: { httpOnly: true, sameSite: 'lax', secure: https, signed: true }",
    replacement: "short: { httpOnly: true, sameSite: 'lax', secure: https, signed: false }",
    test: 'test/attacks/row-07-interactions.test.ts',
    named: 'made up',
  },
  {
    row: 7,
    what: 'a sign-out ends the session here, not only the cookie',
    file: 'src/provider/provider.ts',
    find:
      "    const revocation = await endHere(provider, parts.endSession, finished, this, 'signed-out');\n" +
      '    if (Provider.ctx !== undefined) await parts.pages.noteSignOut(Provider.ctx, revocation);\n' +
      '    await forget.call(this);\n',
    replacement: '',
    test: 'test/attacks/row-07-interactions.test.ts',
    named: 'signed-out cookie',
  },
  {
    row: 8,
    what: 'the origin of a form is ours, to the letter',
    file: 'src/http/form-guard.ts',
    find: "site === '' ? origin === issuer",
    replacement: "site === '' ? origin.startsWith(issuer)",
    test: 'test/attacks/row-08-forms.test.ts',
    named: 'only looks like',
  },
  {
    row: 8,
    what: 'Fetch Metadata outweighs the origin',
    file: 'src/http/form-guard.ts',
    find: "site === '' ? origin === issuer : site === 'same-origin' && (origin === issuer || origin === '')",
    replacement: 'origin === issuer',
    test: 'test/attacks/row-08-forms.test.ts',
    named: 'comes? from elsewhere',
  },
  {
    row: 8,
    what: 'our forms are guarded',
    file: 'src/server.ts',
    find: 'router.use(guardForms(issuer), parseForm);',
    replacement: 'router.use(parseForm);',
    test: 'test/attacks/row-08-forms.test.ts',
    named: 'with a parent’s cookies',
  },
  {
    row: 9,
    what: 'no name of an app makes our words around it unreadable',
    file: 'src/provider/app-registration.ts',
    find: '!turning.test(value)',
    replacement: 'value.length > 0',
    test: 'test/provider/clients-file.test.ts',
    named: 'turns the words|in Spanish|on its tile',
  },
  {
    row: 12,
    what: 'a code asked for by a stranger stays as it is when the owner uses the link',
    file: 'src/accounts/requests.ts',
    find: ".where('code_expires_at', '>', now)",
    replacement: ".where('code_expires_at', '>', now).where('ended_at', 'is', null).where('consumed_at', 'is', null)",
    test: 'test/attacks/row-12-oracle.test.ts',
    named: 'stays as it is',
  },
  {
    row: 7,
    what: 'a sign-in goes on where it was made last',
    file: 'interactions/resume-guard.ts',
    find: 'last === secretHash(mark)',
    replacement: 'last !== null',
    test: 'test/attacks/row-07-tossed.test.ts',
    named: 'signs no stranger in',
  },
  {
    row: 8,
    what: 'a page says nothing of the query by which it was asked for',
    file: 'src/ui/reply.ts',
    find: 'path: options.path ?? ctx.path,',
    replacement: 'path: options.path ?? ctx.url,',
    test: 'test/attacks/row-08-forms.test.ts',
    named: 'of the address',
  },
];
