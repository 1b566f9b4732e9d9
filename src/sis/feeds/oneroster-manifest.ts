import { csvRecords, refusedIn } from './csv.js';
import type { FileSet } from './folder-or-zip.js';
import { FeedRefused } from './format.js';
import { filesRead, specification } from './oneroster-columns.js';
import type { FileRead, OneRosterVersion } from './oneroster-columns.js';

/** What the set says of itself. */
export interface Manifest {
  version: OneRosterVersion;
  kind: 'bulk' | 'delta';
  /** The files to read, in the order in which they are read. */
  files: FileRead[];
}

const modes = ['absent', 'bulk', 'delta'];

// The specification has some twenty properties.
const longest = 200;

/**
 * Reads manifest.csv (1EdTech OneRoster CSV Binding 1.2, section 4.1) and holds it against the files that are there. The sidecar
 * rights.csv is no file of the specification: it may be named in the manifest and need not.
 *
 * @throws FeedRefused when there is none, its version is unknown, a bulk lacks a file without which nobody can be told, the files that
 *   are read are partly bulk and partly delta, or it says of a file that it is there or not and the opposite is true
 */
export async function readManifest(set: FileSet): Promise<Manifest> {
  const said = await properties(set);
  const version = versionOf(said.get('oneroster.version'));
  const listed = new Map<string, string>();
  for (const [property, mode] of said) {
    if (!property.startsWith('file.')) continue;
    const name = property.slice('file.'.length);
    if (!modes.includes(mode)) refuse(`the manifest says neither absent nor bulk nor delta of ${shown(name)}.csv`);
    const there = set.names.has(`${name}.csv`);
    if (mode === 'absent' && there) refuse(`the manifest says that ${shown(name)}.csv is absent, and it is there`);
    if (mode !== 'absent' && !there) refuse(`the manifest names ${shown(name)}.csv, and it is not there`);
    listed.set(name, mode);
  }
  const kinds = new Set<string>();
  const files = filesRead.filter((file) => {
    if (specification[version][file] === undefined || !set.names.has(`${file}.csv`)) return false;
    const mode = listed.get(file);
    if (mode !== undefined) kinds.add(mode);
    else if (file !== 'rights') refuse(`${file}.csv is there, and the manifest does not name it`);
    return true;
  });
  if (kinds.size > 1) refuse('some of its files are bulk and some are delta');
  const [kind] = kinds;
  if (kind !== 'bulk' && kind !== 'delta') refuse('the manifest names no file that tells about families');
  const essential: FileRead[] = version === '1.1' ? ['orgs', 'users'] : ['orgs', 'users', 'roles'];
  const lacking = kind === 'bulk' ? essential.find((file) => !files.includes(file)) : undefined;
  if (lacking !== undefined) refuse(`a bulk of OneRoster ${version} needs ${lacking}.csv`);
  return { version, kind, files };
}

async function properties(set: FileSet): Promise<Map<string, string>> {
  if (!set.names.has('manifest.csv')) refuse('there is no manifest.csv beside its files');
  const form = { columnName: (index: number) => ['propertyName', 'value'][index], openEnd: () => true };
  const records: string[][] = [];
  try {
    for await (const { cells } of csvRecords(set.read('manifest.csv'), form)) {
      if (records.push(cells.map((cell) => cell.trim())) > longest) break;
    }
  } catch (error) {
    throw refusedIn('manifest.csv', error);
  }
  if (records.length > longest) refuse(`manifest.csv has more than ${longest} lines`);
  const [header, ...lines] = records;
  if (header === undefined) refuse('manifest.csv is empty');
  if (header[0] !== 'propertyName' || header[1] !== 'value') {
    refuse('the header of manifest.csv must be propertyName,value');
  }
  const said = new Map<string, string>();
  for (const [property = '', value = ''] of lines) {
    if (said.has(property)) refuse(`manifest.csv says "${shown(property)}" twice`);
    said.set(property, value);
  }
  return said;
}

function versionOf(text: string | undefined): OneRosterVersion {
  if (text === '1.1' || text === '1.2' || text === '1.2.1') return text;
  return refuse(
    text === undefined
      ? 'the manifest names no oneroster.version'
      : `OneRoster ${shown(text)} is not read here; 1.1, 1.2 and 1.2.1 are`,
  );
}

function shown(text: string): string {
  return text.replace(/[^\w.-]/g, '?').slice(0, 60);
}

function refuse(reason: string): never {
  throw new FeedRefused(`The OneRoster set cannot be taken: ${reason}.`);
}
