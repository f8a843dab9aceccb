/** Starts the analyzer's process and asks it, one request at a time. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SqlRequest, SqlVerdict } from './protocol.ts';

export interface GoogleSql {
  /** Throws where there is no verdict, with the reason. */
  analyse(request: SqlRequest): Promise<readonly SqlVerdict[]>;
  stop(): void;
}

/** Why the analyzer cannot be asked here and what to do, or null if it can. */
export function missingGoogleSql(): string | null {
  if (existsSync(join(import.meta.dirname, 'node_modules/@fivetrandevelopers/zetasql/lib/zetasql'))) return null;
  return "Google's SQL analyzer is not installed (340 MB): npm ci --prefix tools/googlesql";
}

export function startGoogleSql(): GoogleSql {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    analyse: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('The analyzer ended without an answer.');
      const answer = JSON.parse(value) as readonly SqlVerdict[] | { readonly fault: string };
      if ('fault' in answer) throw new Error(`The analyzer has no verdict: ${answer.fault}`);
      return answer;
    },
    stop: () => child.stdin.end(),
  };
}
