#!/usr/bin/env -S node --max-semi-space-size=16
import { run } from './commands.js';

// The oldest Node that oidc-provider and kysely work on; said in one sentence instead of a stack.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`Parent Access needs Node 22.12 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await run(process.argv.slice(2), process.env, {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  });
}
