/** Helper processes of `npm start`: simulated vendors and stand-ins for Google's services. Each says in one line of JSON where it is. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Transient } from '#core/errors.ts';

export interface Child<Addresses> {
  readonly addresses: Addresses;
  /** Asks it to end, and ends it if it has not after `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

/** Throws `Transient` if it ends before it has said where it is; what it said instead is on standard error. */
export async function startChild<Addresses>(
  what: string,
  main: string,
  flags: readonly string[],
): Promise<Child<Addresses>> {
  // Its own process group: a Ctrl-C reaches only the pipeline, which stops it after it has drained.
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  for await (const line of createInterface({ input: child.stdout }))
    return { addresses: JSON.parse(line) as Addresses, stop: (withinMs) => stop(child, withinMs) };
  throw new Transient('simulators_failed', `${what} did not start: see the lines above.`);
}

async function stop(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const late = setTimeout(() => child.kill('SIGKILL'), withinMs);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(late);
}
