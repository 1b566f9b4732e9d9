import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';

export interface ScratchProvider {
  issuer: string;
  provider: Provider;
  /** What userinfo says of everybody's children from now on. */
  students: Array<Record<string, unknown>>;
  /** The next sign-in is declined. */
  declines: boolean;
  close(): Promise<void>;
}

/** A bare oidc-provider on a loopback port, in which `ana` signs in by herself: for the example app alone. */
export async function startScratchProvider(port: number, clients: ClientMetadata[]): Promise<ScratchProvider> {
  const issuer = `http://localhost:${port}`;
  const provider = new Provider(issuer, {
    clients,
    cookies: { keys: ['scratch'] },
    scopes: ['openid', 'profile', 'email', 'students', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'], students: ['students'] },
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    async findAccount(_ctx, accountId) {
      const claims = { sub: accountId, name: 'Ana <Pérez>', email: 'ana@example.org', students: scratch.students };
      return { accountId, claims: async () => claims };
    },
  });
  const answer = provider.callback();
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response);
    void (async () => {
      const { params, prompt, session } = await provider.interactionDetails(request, response);
      if (scratch.declines) {
        scratch.declines = false;
        return provider.interactionFinished(request, response, { error: 'access_denied' });
      }
      if (prompt.name === 'login') {
        return provider.interactionFinished(request, response, { login: { accountId: 'ana' } });
      }
      const grant = new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) });
      grant.addOIDCScope(String(params['scope']));
      return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
    })();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const scratch: ScratchProvider = {
    issuer,
    provider,
    students: [],
    declines: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return scratch;
}

/** A free loopback port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
