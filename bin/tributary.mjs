#!/usr/bin/env node
// Starts the command line under the project's own Node: the machine's may be too old to run TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const own = join(root, 'node_modules/node/bin/node');
const child = spawn(
  existsSync(own) ? own : process.execPath,
  ['--max-semi-space-size=32', join(root, 'cli/main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
