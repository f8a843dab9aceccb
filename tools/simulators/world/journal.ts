/**
 * What happened in a company, as lines of text, so that a vendor that is started again still knows it: a vendor does not
 * forget because its customer restarted.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { Entry } from './model.ts';
import type { World } from './world.ts';

/** Repeats what the file tells, then goes on writing it. The first line names the company; another one's file is started afresh. */
export function keepJournal(world: World, file: string): void {
  const title = JSON.stringify({ shape: world.shape });
  const [first, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [''];
  if (first === title) for (const line of lines) replay(world, line);
  else {
    if (existsSync(file)) truncateSync(file);
    appendFileSync(file, `${title}\n`, { mode: 0o600 });
  }
  world.onEntry((entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`));
}

function replay(world: World, line: string): void {
  const entry = parse(line);
  if (entry?.kind === 'commit') world.commit(entry.transaction, entry);
  if (entry?.kind === 'call') world.calls.place(entry.pick, entry.ms);
  if (entry?.kind === 'identify') world.calls.identify(entry.callId, entry.contactId, entry.accountId);
}

/** A last line cut short by a kill was not yet told to anybody. */
function parse(line: string): Entry | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as Entry);
  } catch {
    return undefined;
  }
}
