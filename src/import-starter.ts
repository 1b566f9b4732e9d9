import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Asked, Errand, Outcome } from './import-apart.js';

/*
 * Starts the process of each import for a server (`import-apart.ts`), and carries question and answer. It does nothing else and has nothing in
 * its memory: of a process that starts another the system marks every page to be copied when it is next written, and a server that does so
 * itself is slower for a second, for everybody who signs in meanwhile. The imports have its low priority, and end with it as it with the server.
 */

// What an import holds is small; Node would let what it drops grow to 100 MB before it looks at it.
const execArgv = [...process.execArgv, '--max-semi-space-size=16'];

// The source while it is developed, compiled where it runs.
const program = fileURLToPath(new URL(`./import-program${extname(import.meta.url)}`, import.meta.url));

async function imported(asked: Asked): Promise<Answer> {
  const child = fork(program, [], {
    execArgv,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let answer: Answer | null = null;
  child.once('message', (given: Answer) => (answer = given));
  child.send(asked);
  // What it says arrives before its channel is closed, but perhaps after it has ended.
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  const message = `The process of an import ended (${child.signalCode ?? child.exitCode}).`;
  return answer ?? { error: { name: 'Error', message, code: null } };
}

// Ctrl+C is the server's to obey, which waits for what it began.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());
process.on('message', ({ no, asked }: Errand) => {
  void imported(asked)
    .catch((error: Error): Answer => ({ error: { name: error.name, message: error.message, code: null } }))
    .then((answer) => process.send?.({ no, answer } satisfies Outcome));
});
