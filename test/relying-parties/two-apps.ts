import { startApache } from '../support/apache.js';
import type { Apache } from '../support/apache.js';
import { startExpressApp } from '../support/express-app.js';
import type { ExpressApp } from '../support/express-app.js';
import { freePort, startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { elementary } from '../provider/family.js';

const scope = 'openid profile students offline_access';

const appAt = (clientId: string, port: number, logout: string) => ({
  registration: {
    client_id: clientId,
    scope,
    student_facts: ['name' as const],
    redirect_uris: [`http://localhost:${port}/callback`],
    post_logout_redirect_uris: [`http://localhost:${port}/`, `http://localhost:${port}`],
    backchannel_logout_uri: `http://localhost:${port}/${logout}`,
  },
});

/** A house with a page behind Apache with mod_auth_openidc, `library`, and an Express app with express-openid-connect, `tutoring`. */
export interface TwoApps {
  house: TestHouse;
  apache: Apache;
  tutoring: ExpressApp;
  close(): Promise<void>;
}

/** Both apps as their makers ship them; `apacheIsHere` says whether the machine has what they need. */
export async function startTwoApps(): Promise<TwoApps> {
  const [library, express] = [await freePort(), await freePort()];
  const house = await startTestHouse({
    elementary,
    apps: [appAt('library', library, 'callback?logout=backchannel'), appAt('tutoring', express, 'backchannel-logout')],
  });
  const opened: Array<() => Promise<void>> = [() => house.close()];
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each();
  };
  try {
    const common = { issuer: house.issuer, scope };
    const authentication = { secret: house.secret };
    const apache = await startApache({ ...common, port: library, clientId: 'library', authentication });
    opened.push(() => apache.close());
    const tutoring = await startExpressApp({ ...common, port: express, clientId: 'tutoring', secret: house.secret });
    opened.push(() => tutoring.close());
    return { house, apache, tutoring, close };
  } catch (error) {
    await close();
    throw error;
  }
}
