/*
 * Express with express-openid-connect as its makers ship it, in a process of its own: sessions in its own cookie, logout tokens
 * taken. `/` is open, `/children` is for who is signed in, and the rest is the library's.
 */
import express from 'express';
import { auth } from 'express-openid-connect';

const { PORT = '', APP_ISSUER = '', APP_CLIENT_ID = '', APP_SECRET = '', APP_SCOPE = '' } = process.env;

/** Where the library keeps which sign-ins were ended. */
function memoryStore() {
  const kept = new Map<string, unknown>();
  return {
    get(id: string, done: (error: unknown, value?: never) => void) {
      done(null, kept.get(id) as never);
    },
    set(id: string, value: unknown, done?: (error?: unknown) => void) {
      kept.set(id, value);
      done?.();
    },
    destroy(id: string, done?: (error?: unknown) => void) {
      kept.delete(id);
      done?.();
    },
  };
}

const app = express();
app.use(
  auth({
    issuerBaseURL: APP_ISSUER,
    baseURL: `http://localhost:${PORT}`,
    clientID: APP_CLIENT_ID,
    clientSecret: APP_SECRET,
    clientAuthMethod: 'client_secret_basic',
    secret: 'the secret of the app itself, long enough',
    idTokenSigningAlg: 'ES256',
    authRequired: false,
    idpLogout: true,
    authorizationParams: { response_type: 'code', scope: APP_SCOPE },
    backchannelLogout: { store: memoryStore() },
  }),
);
app.get('/', (_request, response) => void response.send('<main>An app on Express</main>'));
app.get('/children', (request, response) => {
  const inside = request.oidc.isAuthenticated();
  response
    .status(inside ? 200 : 401)
    .send(`<main>${inside ? String(request.oidc.user?.['sub']) : 'signed out'}</main>`);
});
app.listen(Number(PORT), '127.0.0.1', () => process.stdout.write('ready\n'));
