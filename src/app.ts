import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'koa';
import { appName } from '../interactions/way-back.js';
import { providerProblem } from '../interactions/problem/provider-problem.js';
import { finishedIn, noteFinished } from '../interactions/resume-guard.js';
import { forgetSignOut, noteSignOut } from '../interactions/sign-out/last-sign-out.js';
import { showSignOut, showSignedOut } from '../interactions/sign-out/pages.js';
import { giveConsent } from './accounts/consents.js';
import { passwordHasher } from './accounts/password-hasher.js';
import type { PasswordHasher } from './accounts/password-hasher.js';
import { passwordNotice } from './accounts/password-notice.js';
import { pendingFor } from './accounts/pending.js';
import { requestQueue } from './accounts/requests.js';
import { settleRequests } from './accounts/settle-request.js';
import { signIn } from './accounts/sign-in.js';
import { auditLog } from './audit/audit.js';
import type { RecordEvent } from './audit/audit.js';
import { claimSources } from './claim-sources.js';
import type { Foundation } from './foundation.js';
import { sealer as sealerOf } from './database/secrets.js';
import { sessionEnder } from './end-session.js';
import { cookieJar } from './http/cookies.js';
import { devMail } from './http/dev-mail.js';
import { makeDoor } from './http/door.js';
import { throttles } from './http/throttle.js';
import { importParts, importQueue, importSchedules, importWorker, joinJobs } from './imports.js';
import { openJobs } from './jobs/jobs.js';
import { keyJobs } from './key-jobs.js';
import { cookieSigner } from './keys/cookie-signer.js';
import { followKeys } from './keys/follow.js';
import { ensureKeys } from './keys/keys.js';
import type { KeyRing } from './keys/keys.js';
import { mailJobs } from './mail-jobs.js';
import { outbox } from './mail/outbox.js';
import { adapterFactory } from './provider/adapter.js';
import { checkSecret } from './provider/client-secrets.js';
import { grantLoader } from './provider/grants.js';
import { interactions as interactionsOf } from './provider/interactions.js';
import type { Interactions } from './provider/interactions.js';
import { logoutTokens } from './provider/logout-token.js';
import { livingProvider } from './provider/living-provider.js';
import { calledOrigins, libraryMetadata, portalApp } from './provider/metadata.js';
import { guardedFetch } from './provider/outgoing.js';
import type { Finished } from './provider/opened-here.js';
import { makeProvider } from './provider/provider.js';
import { server } from './server.js';
import { sessionJobs } from './session-jobs.js';
import { pastRequest } from './sessions/artifacts.js';
import { startDeliverer } from './sessions/deliverer.js';
import { sessionStore } from './sessions/session-store.js';
import { feedStatus } from './sis/status.js';
import { replier } from './ui/reply.js';
import { values } from './values.js';
import { watchFolders } from './watch.js';

/** A running house. */
export interface House {
  hasher: PasswordHasher;
  audit: RecordEvent;
  /** Lets what was ended be told to the apps at once. */
  tellApps(): void;
  /** Uses the keys that there are now; without it that happens within seconds. */
  lookAtKeys(): Promise<void>;
  /**
   * Takes no new request, lets those at work finish (10 s at most), and ends the jobs. The database stays open.
   *
   * @param notice seconds in which `/readyz` says so beforehand
   */
  close(notice?: number): Promise<void>;
}

/** Builds the house, floor by floor, and opens its door on `config.host:config.port`. */
export async function openHouse(foundation: Foundation): Promise<House> {
  const { config, clock, logger, database, secretsKey, feeds } = foundation;
  const { db, pool } = database;
  const audit = auditLog(clock);
  const sealer = sealerOf(secretsKey);
  await ensureKeys(db, sealer, clock);
  const keys = await followKeys(db, sealer, logger);
  const hasher = await passwordHasher(2, 200);
  const apps = new Map([...foundation.apps, portalApp(config.issuer)].map((app) => [app.client_id, app]));

  const tending = keyJobs({ db, sealer, clock, audit }, keys, apps, config.timeZone, logger);
  await tending.warnOfSecrets();

  const imports = importParts(foundation, audit);
  const joining = joinJobs(imports);
  const jobs = await openJobs(pool, database.kind, logger);
  const post = outbox(jobs, sealer);
  const hygiene = sessionJobs({ db, audit, clock, timeZone: config.timeZone });
  const mailing = mailJobs({ db, clock, audit, jobs, smtpUrl: foundation.smtpUrl, sealer, config, feeds });
  await jobs.start(
    {
      ...mailing.workers,
      [requestQueue]: settleRequests({
        db,
        clock,
        audit,
        post,
        wake: jobs.wake,
        key: secretsKey,
        issuer: config.issuer,
        timeZone: config.timeZone,
        sisOrder: feeds.feeds.map((feed) => feed.sis),
        studentDomains: feeds.student_domains,
        appName: (clientId, locale) => {
          const app = apps.get(clientId);
          return app === undefined || clientId === portalApp(config.issuer).client_id ? null : appName(app, locale);
        },
      }),
      [importQueue]: importWorker(imports, logger),
      ...hygiene.workers,
      ...joining.workers,
      ...tending.workers,
    },
    [
      ...hygiene.schedules,
      ...joining.schedules,
      ...mailing.schedules,
      ...tending.schedules,
      ...importSchedules(feeds, config.timeZone),
    ],
    [importQueue],
  );

  const reply = replier(config.timeZone, null);
  const logoutToken = logoutTokens(config.issuer, keys.ring);
  const deliverer = startDeliverer({
    db,
    clock,
    logger,
    async sign(delivery) {
      // What ended with a key that was revoked is told by another: the app that knows the keys of the moment takes no word of the stolen one.
      await keys.look();
      return logoutToken(delivery);
    },
    fetch,
  });
  const endSession = sessionEnder(db, audit, clock, deliverer.wake);
  const cookies = cookieJar(config.issuer);
  const finishedHere = (ctx: Context): Finished[] => finishedIn(ctx, cookies);
  const sources = claimSources(db, clock, config.timeZone);
  const sessions = sessionStore(db, clock);
  const pages = (): Interactions => living.interactions;
  const providerOn = (ring: KeyRing): ReturnType<typeof makeProvider> =>
    makeProvider(
      {
        issuer: config.issuer,
        apps,
        metadata: [...apps.values()].map(libraryMetadata),
        keys: ring,
        checkSecret: checkSecret(db, clock),
        adapter: adapterFactory(db, clock),
        sources,
        questions: {
          async pending(accountId) {
            const { terms, news, address } = await pendingFor(db, accountId, feeds.student_domains);
            return { terms, news, address: address !== null };
          },
        },
        loadGrant: grantLoader(sessions, apps, sources.consented),
        fetch: guardedFetch(calledOrigins(apps.values())),
        endSession,
        finishedHere,
        pages: {
          problem: (ctx, fault, error) =>
            providerProblem(
              ctx,
              { issuer: config.issuer, apps, interactions: pages(), reply },
              fault,
              error,
              ctx.oidc?.client?.clientId,
            ),
          signOut: async (ctx, form) =>
            showSignOut(ctx, reply, apps.get(ctx.oidc.client?.clientId ?? '') ?? null, form),
          signedOut: async (ctx) =>
            showSignedOut(ctx, reply, apps.get(ctx.oidc.client?.clientId ?? '') ?? null, config.issuer, {
              db,
              clock,
              cookies,
              interactions: pages(),
            }),
          noteSignOut: (ctx, revocation) => noteSignOut(ctx, { db, clock, cookies }, revocation),
        },
      },
      clock,
      logger,
    );
  const living = livingProvider(
    providerOn,
    (provider) =>
      interactionsOf(
        provider,
        apps,
        endSession,
        (uid) => pastRequest(db, uid),
        (given) => giveConsent(db, clock, audit, given),
        (ctx, uid, mark) => {
          noteFinished(ctx, cookies, uid, mark);
          forgetSignOut(ctx, cookies);
        },
        finishedHere,
        sessions.outdateOthers,
        clock,
      ),
    keys.ring(),
  );
  keys.onChange(living.follow);

  const throttle = throttles(pool, config.throttleScale, secretsKey);
  const address = throttle('request-address', values.throttles.requestPerAddress);
  const source = throttle('request-source', values.throttles.requestPerSource);
  const app = server({
    issuer: config.issuer,
    trustedProxies: config.trustedProxies,
    cookieSigner: cookieSigner(keys.ring().cookies),
    lookAtKeys: keys.look,
    logger,
    reply,
    provider: living.handle,
    apps,
    readiness: {
      database: async () => void (await pool.query('select 1')),
      keys: async () => {
        if (keys.ring().signing.length === 0) throw new Error('no keys');
      },
      open: async () => {
        if (door.isClosing()) throw new Error('closing');
      },
      pool: async () => {
        if (pool.waitingCount > 100) throw new Error('the pool is full');
      },
    },
    development:
      foundation.mailbox === null || config.production || !config.loopback ? null : devMail(foundation.mailbox.list),
    pages: {
      db,
      clock,
      issuer: config.issuer,
      timeZone: config.timeZone,
      interactions: living.interactions,
      cookies,
      reply,
      jobs,
      hasher,
      audit,
      secretsKey,
      post,
      perLetter: throttle('password-letter', values.throttles.passwordPerLetter),
      signIn: signIn(db, hasher, throttle, audit, secretsKey),
      feeds: () => feedStatus(db, feeds, clock, config.timeZone),
      apps: [...apps.values()],
      studentDomains: feeds.student_domains,
      tellApps: deliverer.wake,
      noteSignOut: (ctx, revocation) => noteSignOut(ctx, { db, clock, cookies }, revocation),
      notice: passwordNotice(clock, config, post),
    },
    registerThrottles: { address, source, code: throttle('code-source', values.throttles.codePerSource) },
    recoverThrottles: {
      address: throttle('recovery-address', values.throttles.requestPerAddress),
      known: throttle('recovery-device', values.throttles.requestPerAddress),
      allKnown: throttle('recovery-known', values.throttles.recoveryPerAllKnownDevices),
      source,
    },
  });

  keys.onChange((ring) => {
    app.keys = cookieSigner(ring.cookies);
  });

  const watch = watchFolders(imports, logger);
  const door = makeDoor(app.callback());
  const close = async (notice = 0): Promise<void> => {
    // Who signs out while it still serves has their apps told before it ends; a try takes less time than requests at work may.
    const toldAll = pause(notice * 1_000).then(() => {
      keys.stop();
      return deliverer.stop();
    });
    await Promise.all([door.close(notice), jobs.stop(), watch.stop(), toldAll]);
    mailing.close();
  };
  try {
    await door.open(config.port, config.host);
  } catch (error) {
    await close();
    throw error;
  }
  return { hasher, audit, tellApps: deliverer.wake, lookAtKeys: keys.look, close };
}
