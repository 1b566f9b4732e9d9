import { readFileSync, readdirSync } from 'node:fs';
import { sql } from 'kysely';
import type { Database } from '../src/database/database.js';

// Linux counts in hundredths of a second (proc(5), sysconf(_SC_CLK_TCK)).
const ticks = 100;

interface Counted {
  parent: number;
  own: number;
  /** Of children that ended and were waited for. */
  ended: number;
}

function counted(pid: number): Counted | null {
  try {
    const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const at = fields.split(' ').map(Number);
    return { parent: at[1] ?? 0, own: (at[11] ?? 0) + (at[12] ?? 0), ended: (at[13] ?? 0) + (at[14] ?? 0) };
  } catch {
    // It ended meanwhile.
    return null;
  }
}

/** The process id of the server behind a database; its backends are its children. */
export async function serverOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return counted(rows[0]?.pid ?? 0)?.parent ?? 0;
}

/** Seconds of CPU that this process and a database server, with all its backends, have used so far. */
export function cpuUsed(server: number): number {
  const { user, system } = process.cpuUsage();
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const found = counted(pid);
    if (found === null) continue;
    if (pid === server) sum += found.own + found.ended;
    else if (found.parent === server) sum += found.own;
  }
  return sum / ticks + (user + system) / 1_000_000;
}
