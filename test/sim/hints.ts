/**
 * The source's change events as hints in a durable subscription that readers share: late, reordered, duplicated, and
 * delivered again when a reader goes. A reader that was only cut off goes on with what it holds beside its successor.
 */
import type { Hint } from '#core/capture/hint.ts';
import { reader, type HintMessage, type Reader } from './reader.ts';
import type { State } from './source.ts';
import { millis, type ProcessClock, type World } from './world.ts';

export interface Hints {
  /** Sends the event of a commit, if it makes one. */
  send(state: State): void;
  /** One of the readers is killed or cut off; another takes its place. */
  loseReader(): void;
}

interface Held {
  readonly message: HintMessage;
  readonly by: Reader;
}

export function hintSubscription(world: World, newClock: () => ProcessClock): Hints {
  const { loop, random } = world;
  const readers = [reader(world, newClock())];
  if (random.chance(0.3)) readers.push(reader(world, newClock()));
  let held: Held[] = [];

  function deliver(message: HintMessage): void {
    const by = random.pick(readers);
    held.push({ message, by });
    by.receive(message);
  }

  function send(state: State): void {
    if (state.effect === 'purge' || state.effect === 'vanish') return;
    const message: HintMessage = { hint: hintOf(state), acked: false };
    const delayMs = random.pick([100, 100, 100, 500, 500, 2_000, 20_000]);
    loop.at(state.commitMicros + millis(random, 5, delayMs), () => deliver(message));
    // Delivered again while the first is held, or long after it was acked.
    if (random.chance(0.15)) loop.at(state.commitMicros + millis(random, 5, 40_000), () => deliver({ ...message }));
  }

  function loseReader(): void {
    const index = random.below(readers.length);
    const lost = readers[index];
    readers[index] = reader(world, newClock());
    const killed = random.chance(0.6);
    if (killed) lost?.kill();
    world.note(killed ? 'reader killed' : 'reader cut off');
    const again = held.filter(({ message, by }) => by === lost && !message.acked);
    held = held.filter(({ by }) => by !== lost);
    for (const { message } of again) loop.after(millis(random, 0, 3_000), () => deliver(message));
  }

  return { send, loseReader };
}

function hintOf(state: State): Hint {
  return {
    object: 'Contact',
    id: state.id,
    effect: state.effect === 'delete' ? 'delete' : 'change',
    changedAtMicros: state.committedMicros,
    facts: { kind: state.effect, changedFields: null, user: null, origin: null, transaction: null },
  };
}
