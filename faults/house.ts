import { openSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** One measured fault: what `docs/reliability.md` shows of it. */
export interface Finding {
  name: string;
  /** What must hold, in words. */
  bar: string;
  measured: string;
  holds: boolean;
}

/** The machine in one line, so that figures can be read later. */
export function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown';
  return `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

/** How many rounds of a long fault to run; `FAULTS_SHARE=0.02` makes a short run for whoever works on it, which is no proof. */
export function planned(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env['FAULTS_SHARE'] ?? '1')));
}

/** The middle of a list of numbers, and other shares of it (0 to 1). */
export function share(numbers: readonly number[], at: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;
}

/** The most memory a process held so far, in MB (Linux accounting). */
export function peakMemory(pid: number): number {
  const status = readFileSync(openSync(`/proc/${pid}/status`, 'r'), 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
