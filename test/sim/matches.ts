/**
 * Rule 3 in small: an activity is matched to the contacts that have its phone. Whatever order the events arrive in, however
 * often the owner changes (some go on for a while after they lost the lease), the sink ends with the match of the final state.
 */
import { supersedes, ZERO_VERSION, type Version } from '#core/version.ts';
import { seededRandom, type SeededRandom } from '#test/kit/random.ts';
import { eventLoop } from './loop.ts';

export interface MatchWays {
  /** What a match's version counts: its owner's work, or the newest of the records it was made from. */
  readonly version: 'owner' | 'inputs';
  /** When an outcome need not be published: this owner published the same, or the same was stored by whoever came before. */
  readonly skips: 'published by itself' | 'stored';
}

interface Input {
  readonly id: string;
  readonly version: Version;
  readonly phone: string;
}

/** What survives an owner. */
interface Store {
  readonly inputs: Map<string, Input>;
  outcome: string | null;
  owner: number;
}

interface Match {
  readonly version: Version;
  readonly outcome: string;
}

const ACTIVITY = 'activity';
const PHONES = ['+12135550100', '+12135550101'] as const;

/** Empty if the sink ended with the right match. */
export function simulateMatches(seed: number, ways: MatchWays): string {
  const random = seededRandom(seed);
  const loop = eventLoop(0);
  const inputs = inventInputs(random);
  const store: Store = { inputs: new Map(), outcome: null, owner: 0 };
  let row: Match | undefined;
  const arrive = (match: Match): void => {
    if (supersedes(match.version, row?.version)) row = match;
  };
  const publish = (match: Match): void => {
    for (let copies = random.chance(0.1) ? 2 : 1; copies > 0; copies--)
      loop.after(random.below(random.pick([20, 500])), () => arrive(match));
  };

  let owner = newOwner(store, ways, publish);
  function deliver(input: Input): void {
    const { handle } = owner;
    // It begins with one owner, which may have been replaced by the time it is done.
    loop.after(random.below(random.pick([5, 300])), () => {
      if (!handle(input) || random.chance(0.1)) loop.after(random.below(400), () => deliver(input));
    });
  }
  for (const input of inputs) loop.at(random.below(1_000), () => deliver(input));
  for (let changes = random.below(3); changes > 0; changes--)
    loop.at(random.below(1_200), () => (owner = newOwner(store, ways, publish)));
  loop.run();

  const truth = outcomeOf(latest(inputs));
  return row?.outcome === truth ? '' : `the match should be ${truth}, it is ${row?.outcome ?? 'missing'}`;
}

interface Owner {
  /** Handles an event; true: it may be acked. */
  readonly handle: (input: Input) => boolean;
}

/** Publish the match, store the segment, ack; what was published and not stored comes again. */
function newOwner(store: Store, ways: MatchWays, publish: (match: Match) => void): Owner {
  const epoch = (store.owner += 1);
  const inputs = new Map(store.inputs);
  let published = ways.skips === 'stored' ? store.outcome : null;
  let revision = 0;

  function handle(input: Input): boolean {
    if (supersedes(input.version, inputs.get(input.id)?.version)) inputs.set(input.id, input);
    const outcome = outcomeOf(inputs);
    if (outcome !== published) {
      const own: Version = { epoch, sourceSequence: (revision += 1), issuedMicros: 0, generation: 0 };
      publish({ outcome, version: ways.version === 'owner' ? own : newestUsed(inputs, outcome) });
      published = outcome;
    }
    if (store.owner !== epoch) return false;
    store.inputs.clear();
    for (const [id, one] of inputs) store.inputs.set(id, one);
    store.outcome = outcome;
    return true;
  }

  return { handle };
}

function outcomeOf(inputs: ReadonlyMap<string, Input>): string {
  const phone = inputs.get(ACTIVITY)?.phone;
  if (phone === undefined) return 'unknown activity';
  const matched = [...inputs.values()].filter((input) => input.id !== ACTIVITY && input.phone === phone);
  return matched.length === 0
    ? 'unmatched'
    : matched
        .map(({ id }) => id)
        .sort()
        .join(' or ');
}

/** The newest version among the activity and the contacts it was matched to. */
function newestUsed(inputs: ReadonlyMap<string, Input>, outcome: string): Version {
  const used = [...inputs.values()].filter(({ id }) => id === ACTIVITY || outcome.split(' or ').includes(id));
  const versions = used.map(({ version }) => version);
  return versions.reduce((a, b) => (supersedes(b, a) ? b : a), ZERO_VERSION);
}

function latest(inputs: readonly Input[]): Map<string, Input> {
  const newest = new Map<string, Input>();
  for (const input of inputs) if (supersedes(input.version, newest.get(input.id)?.version)) newest.set(input.id, input);
  return newest;
}

/** The states of one activity and three contacts, in the order the sources committed them. */
function inventInputs(random: SeededRandom): Input[] {
  const states = [ACTIVITY, 'contact-a', 'contact-b', 'contact-c'].flatMap((id) =>
    Array.from({ length: 1 + random.below(4) }, () => id),
  );
  return random.shuffled(states).map((id, at) => ({
    id,
    version: { epoch: 0, sourceSequence: at + 1, issuedMicros: at + 1, generation: 0 },
    phone: id === ACTIVITY ? PHONES[0] : random.pick(PHONES),
  }));
}
