import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const program = '/usr/sbin/apache2';
const modules = '/usr/lib/apache2/modules';
const packages = 'apache2 libapache2-mod-auth-openidc';

/** What mod_auth_openidc is told of its provider and of itself. */
export interface ApacheApp {
  port: number;
  issuer: string;
  clientId: string;
  scope: string;
  /** The one thing in which the apps differ: the secret, or the PEM of a private key and the `kid` of its public half. */
  authentication: { secret: string } | { privateKey: string; kid: string };
}

/** A running Apache: `/` is open, `/children.html` shows who is signed in, `/callback` is the module's own. */
export interface Apache {
  home: string;
  /** A line for each request it answered, in order: `METHOD path status`. */
  answered(): string[];
  close(): Promise<void>;
}

/** Whether Apache and mod_auth_openidc are on this machine; where they are not, says on standard error what to install. */
export function apacheIsHere(): boolean {
  const here = existsSync(program) && existsSync(join(modules, 'mod_auth_openidc.so'));
  if (!here) process.stderr.write(`mod_auth_openidc is not tested: this machine lacks the packages ${packages}\n`);
  return here;
}

/** Server-side includes: what the module hands to a page, as an element of its own each. */
const protectedPage = `<!doctype html><html lang="en"><title>Children</title><main>
<p id="sub"><!--#echo var="OIDC_CLAIM_sub" --></p>
<p id="name"><!--#echo var="OIDC_CLAIM_name" --></p>
<p id="userinfo"><!--#echo var="OIDC_userinfo_json" --></p>
<p id="token"><!--#echo var="OIDC_access_token" --></p>
</main></html>`;

function configuration(app: ApacheApp, folder: string): string {
  const { authentication } = app;
  const load = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'dir', 'include', 'auth_openidc'];
  return `
${load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
ServerName localhost
Listen 127.0.0.1:${app.port}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
LogLevel warn auth_openidc:info
LogFormat "%m %U%q %>s" answered
CustomLog ${folder}/answered.log answered
StartServers 1
TypesConfig /dev/null
AddType text/html .html
DocumentRoot ${folder}/pages
<Directory ${folder}/pages>
  Options +Includes
  Require all granted
</Directory>
OIDCProviderMetadataURL ${app.issuer}/.well-known/openid-configuration
OIDCRedirectURI http://localhost:${app.port}/callback
OIDCCryptoPassphrase a-passphrase-of-the-tests
OIDCClientID ${app.clientId}
OIDCScope "${app.scope}"
OIDCPKCEMethod S256
OIDCPassClaimsAs environment
OIDCPassUserInfoAs claims json
OIDCProviderBackChannelLogoutSupported On
${
  'secret' in authentication
    ? `OIDCProviderTokenEndpointAuth client_secret_basic\nOIDCClientSecret ${authentication.secret}`
    : `OIDCPublicKeyFiles ${authentication.kid}#${folder}/public.pem\nOIDCPrivateKeyFiles ${authentication.kid}#${folder}/private.pem\nOIDCProviderTokenEndpointAuth private_key_jwt`
}
<LocationMatch "^/(children\\.html|callback)$">
  AuthType openid-connect
  Require valid-user
  SetOutputFilter INCLUDES
</LocationMatch>
`;
}

function contents(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * Apache of the Debian packages with mod_auth_openidc, in a folder of its own and on a loopback port, as this process's child.
 *
 * @throws when it does not start, with its own words
 */
export async function startApache(app: ApacheApp): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-apache-'));
  // Started by root it answers as another user, who has to get at the pages.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'pages'), { mode: 0o755 });
  writeFileSync(join(folder, 'pages', 'index.html'), '<!doctype html><main>An app behind Apache</main>');
  writeFileSync(join(folder, 'pages', 'children.html'), protectedPage);
  if ('privateKey' in app.authentication) {
    const { privateKey } = app.authentication;
    writeFileSync(join(folder, 'private.pem'), privateKey, { mode: 0o600 });
    // Without its public half the module takes the key, and breaks down when it uses it.
    writeFileSync(join(folder, 'public.pem'), createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
  }
  writeFileSync(join(folder, 'apache.conf'), configuration(app, folder));
  const child = spawn(program, ['-f', join(folder, 'apache.conf'), '-DFOREGROUND'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      complaint += error.message;
      resolve();
    });
    child.once('exit', () => resolve());
  });
  let running = true;
  void ended.then(() => {
    running = false;
  });
  const home = `http://localhost:${app.port}/`;

  async function close(): Promise<void> {
    if (running) child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  for (const deadline = Date.now() + 30_000; ; await pause(50)) {
    const answer = await fetch(home).catch(() => null);
    if (answer?.ok === true) break;
    if (running && Date.now() < deadline) continue;
    const said = `${complaint}${contents(join(folder, 'error.log'))}`;
    await close();
    throw new Error(`Apache did not start: ${said}`);
  }
  return {
    home,
    answered: () => contents(join(folder, 'answered.log')).split('\n').filter(Boolean),
    close,
  };
}
