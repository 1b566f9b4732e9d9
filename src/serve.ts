import { openHouse } from './app.js';
import type { House } from './app.js';
import type { Config } from './config.js';
import { listenForControl } from './control.js';
import { systemClock } from './database/clock.js';
import { startDemoApps } from './demo.js';
import { DeskRefused } from './desk/desk.js';
import { deskCommands } from './desk/run.js';
import { houseChecks } from './doctor/house.js';
import { allowsSamples, layFoundation } from './foundation.js';
import type { Foundation } from './foundation.js';
import { openImportsApart } from './import-apart.js';
import { importParts } from './imports.js';
import { plantSampleDistrict, samplePeople } from './sample-district.js';
import { endAbandonedRuns } from './sis/lease.js';
import { makeLogger } from './telemetry/logger.js';
import { values } from './values.js';

/** The lines with which a newcomer begins. */
function welcome({ config, mailbox }: Foundation, demos: Array<{ name: string; url: string }>): string {
  const { unregistered, registered } = samplePeople;
  return [
    `Parent Access is ready at ${config.issuer}`,
    '',
    `  New parent        register with ${unregistered.email} and ${unregistered.phone}`,
    `  Known parent      sign in with ${registered.email}, password: ${registered.password}`,
    ...demos.map(({ name, url }) => `  ${name.padEnd(17)} ${url}`),
    ...(mailbox === null ? [] : [`  Mails             ${config.issuer}/dev/mail`]),
    '',
    `  Everything is kept in ${config.databaseUrl === null ? config.dataDir : 'the database of DATABASE_URL'}; stop with Ctrl+C.`,
  ].join('\n');
}

/**
 * `serve`: opens the house and stays until SIGTERM or SIGINT, then drains and ends with 0.
 *
 * @param print writes to the person at the terminal
 */
export async function serve(config: Config, print: (text: string) => void): Promise<void> {
  const logger = makeLogger(config);
  if (config.throttleScale > 1) logger.warn({ scale: config.throttleScale }, 'throttles are loosened: THROTTLE_SCALE');
  const laid = await layFoundation(config, systemClock, logger);
  // The embedded database is this process's alone.
  const apart = laid.database.kind === 'postgres' && laid.feeds.feeds.length > 0 ? openImportsApart() : null;
  const foundation = apart === null ? laid : { ...laid, importApart: apart.importApart };
  const { database } = foundation;
  const closeFoundation = async (): Promise<void> => {
    apart?.close();
    await foundation.mailbox?.close();
    if (foundation.importDatabase !== database) await foundation.importDatabase.close();
    await database.close();
  };
  let house: House;
  try {
    house = await openHouse(foundation);
  } catch (error) {
    await closeFoundation();
    throw error;
  }
  try {
    await furnish(foundation, house, print);
  } finally {
    // Beside an embedded database there is no other instance that could take over.
    await house.close(database.kind === 'postgres' ? values.closingNotice : 0);
    await closeFoundation();
  }
}

/** Brings in what a house on this configuration has, and stays until it is told to end. */
async function furnish(foundation: Foundation, house: House, print: (text: string) => void): Promise<void> {
  const { config, database, feeds, apps, logger } = foundation;
  const imports = importParts(foundation, house.audit);
  const samples = allowsSamples(config);
  // The embedded database is this process's alone: an import that a killed one left is over.
  if (database.kind === 'pglite') await endAbandonedRuns(database.db, systemClock);
  if (samples) await plantSampleDistrict(imports, house.hasher);
  const silence =
    database.kind === 'pglite'
      ? await listenForControl(config.dataDir, {
          doctor: () =>
            houseChecks({
              database,
              clock: systemClock,
              timeZone: config.timeZone,
              secretsKey: foundation.secretsKey,
              secretsKeyProblem: null,
              feeds,
              apps,
            }),
          desk: async (name, args, onProgress) => {
            const command = deskCommands.get(name);
            if (command === undefined) throw new DeskRefused(`The running server does not know the command ${name}.`);
            return command(
              {
                config,
                clock: systemClock,
                db: database.db,
                audit: house.audit,
                feeds: async () => feeds,
                load: imports.load,
                onProgress,
                secretsKey: foundation.secretsKey,
                keysFollowed: house.lookAtKeys,
                tellApps: house.tellApps,
              },
              args,
            );
          },
        })
      : () => {};
  const demos =
    samples && apps.some((app) => app.demo) ? startDemoApps(apps, config.issuer, config.dataDir, logger) : null;
  print(samples ? welcome(foundation, demos?.addresses ?? []) : `Parent Access is ready at ${config.issuer}`);

  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  silence();
  demos?.close();
}
