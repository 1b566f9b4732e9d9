import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { TestHouse } from '../support/house.js';

/** An app that lives in the browser alone, served to it. */
export interface BrowserApp {
  /** Where it is registered. */
  home: string;
  /** The same page at an origin that no app registered: the address in place of the name. */
  strangeHome: string;
  close(): Promise<void>;
}

const library = readFileSync(
  fileURLToPath(new URL('../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url)),
  'utf8',
);

/** The whole app: oidc-client-ts as it comes, a button for each thing it does, and who is signed in. */
function page(settings: Record<string, unknown>): string {
  return `<!doctype html><html lang="en"><title>An app in the browser</title>
<main><button id="sign-in">Sign in</button> <button id="renew">Renew</button> <button id="sign-out">Sign out</button>
<pre id="shown">starting</pre></main>
<script src="/oidc-client-ts.min.js"></script>
<script>
  const manager = new oidc.UserManager(${JSON.stringify(settings)});
  const shown = document.getElementById('shown');
  const show = (value) => { shown.textContent = typeof value === 'string' ? value : JSON.stringify(value); };
  const showUser = (user) => show(user === null || user === undefined ? 'nobody' : user);
  const failed = (error) => show('failed: ' + (error.error ?? error.message));
  const on = (id, act) => document.getElementById(id).addEventListener('click', () => {
    show(id);
    act().catch(failed);
  });
  on('sign-in', () => manager.signinRedirect());
  on('renew', () => manager.signinSilent().then(showUser));
  on('sign-out', () => manager.signoutRedirect());
  const returns = location.pathname === '/callback';
  (returns ? manager.signinCallback() : manager.getUser()).then(showUser, failed);
</script></html>`;
}

/**
 * Serves the app of a registered public client, on the port of its `redirect_uris`.
 *
 * @param options further settings of oidc-client-ts's `UserManager`
 * @throws when no such client is registered
 */
export async function serveBrowserApp(
  house: TestHouse,
  clientId: string,
  options: Record<string, unknown> = {},
): Promise<BrowserApp> {
  const registration = house.apps.get(clientId);
  const redirectUri = registration?.redirect_uris[0];
  if (registration === undefined || redirectUri === undefined) throw new Error(`${clientId} is not registered`);
  const { origin, port } = new URL(redirectUri);
  const html = page({
    authority: house.issuer,
    client_id: clientId,
    redirect_uri: redirectUri,
    post_logout_redirect_uri: `${origin}/`,
    scope: registration.scope,
    loadUserInfo: true,
    automaticSilentRenew: false,
    ...options,
  });
  const server = createServer((request, response) => {
    const isLibrary = request.url === '/oidc-client-ts.min.js';
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isLibrary ? library : html);
  });
  await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
  return {
    home: `${origin}/`,
    strangeHome: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
