/** The service on a fake org, a virtual clock, and a store that a second life can share. */
import type { VendorPort } from '#core/ports/vendor.ts';
import type { RawEvent } from '#core/codec.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import { DECLARED } from '#services/ingest-salesforce/declared.ts';
import { openOrg, type Org } from '#services/ingest-salesforce/org/org.ts';
import { fakeContext, type FakeContext, type FakeContextOptions } from '#test/kit/context.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';
import { FakeOrg, INSTANCE_URL } from './fake-org.ts';

export interface World extends Omit<FakeContext<typeof DECLARED>, 'context'> {
  readonly context: FakeContext<typeof DECLARED>['context'];
  readonly clock: VirtualClock;
  readonly fake: FakeOrg;
  readonly org: Org;
  /** Events on `raw.salesforce`, in order. */
  readonly raw: () => readonly RawEvent[];
  readonly hints: () => readonly RawEvent[];
  /** The code of each fault told. */
  readonly faults: () => readonly string[];
}

export interface WorldOptions extends Partial<Omit<FakeContextOptions, 'config' | 'vendor'>> {
  readonly config?: Readonly<Record<string, string | undefined>>;
  readonly fake?: FakeOrg;
  readonly virtual?: VirtualClock;
}

export function setUp({ config = {}, fake: given, virtual, ...options }: WorldOptions = {}): World {
  const clock = virtual ?? virtualClock();
  const fake = given ?? new FakeOrg(clock);
  const vendor: VendorPort = fake;
  const made = fakeContext(DECLARED, {
    clock,
    random: seededRandom(5),
    ...options,
    vendor,
    config: {
      'salesforce.instanceUrl': INSTANCE_URL,
      'salesforce.clientId': 'consumer',
      'salesforce.clientSecret': 'not-a-secret',
      'salesforce.compress': 'no',
      ...config,
    },
  });
  const decode = (messages: readonly Message[]): readonly RawEvent[] =>
    messages.map((message) => made.context.codec.decodeRaw('salesforce', message));
  return {
    ...made,
    clock,
    fake,
    org: openOrg(made.context),
    raw: () => decode(made.on('raw.salesforce')),
    hints: () => decode(made.on('hint.salesforce')),
    faults: () =>
      made.told.flatMap(({ name, fields }) => (name === 'faultSeen' && 'code' in fields ? [String(fields.code)] : [])),
  };
}

/** Waits for work that needs time to pass. */
export async function inTime<T>(clock: VirtualClock, work: Promise<T>, limitMs = 3_600_000, stepMs = 50): Promise<T> {
  let over = false;
  const settled = work.finally(() => (over = true));
  settled.catch(() => undefined);
  await clock.until(() => over, limitMs, stepMs);
  return settled;
}

export function delivered(message: Message, attempts = 1): Delivered {
  return { ...message, messageId: 'm', publishedAt: new Date(0), deliveryAttempts: attempts };
}

export function contactId(n: number): string {
  return `003${String(n).padStart(12, '0')}AAA`;
}
