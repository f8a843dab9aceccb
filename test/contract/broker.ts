/**
 * The laws of the broker port, as tests that every adapter passes: what SQLite or Pub/Sub can do beyond them is not
 * tested here. Duplicates and reordering are lawful, so no test counts deliveries exactly, unless the adapter says that
 * it `keepsAcks`. Publishing is repeated until it succeeds, because a publish may fail.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ack, deadLetter, discard, retry, type Disposition } from '#core/disposition.ts';
import { InvalidMessage } from '#core/errors.ts';
import {
  MESSAGE_LIMITS,
  type BrokerPort,
  type Consumer,
  type Delivered,
  type Flow,
  type Message,
  type SubscriptionSpec,
} from '#core/ports/broker.ts';

export interface BrokerHarness {
  readonly broker: BrokerPort;
  /** Waits, in the broker's time, until the condition holds; throws when it does not within a minute. */
  until(condition: () => boolean): Promise<void>;
  /** Waits so long that what was going to come has come. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export interface BrokerCapabilities {
  /** In a test's time an acked message is not delivered again. No law; asserted where it holds. */
  readonly keepsAcks: boolean;
  /** Laws that this adapter, in this setting, cannot show, and why. */
  readonly notShown?: Partial<Record<Law, string>>;
}

type Law = 'liveFirst' | 'retryWaits' | 'seekBack' | 'attemptsGrow' | 'largestMessage';

const FLOW: Flow = {
  batchMessages: 50,
  batchBytes: 1e6,
  lingerMs: 5,
  outstandingMessages: 500,
  outstandingBytes: 50e6,
};
const PUBLISH_TRIES = 100;
let names = 0;

function text(message: Message): string {
  return Buffer.from(message.body).toString();
}

function message(body: string | Uint8Array, attributes: Record<string, string> = {}): Message {
  return { body: typeof body === 'string' ? Buffer.from(body) : body, attributes };
}

function many(count: number, prefix = 'm', attributes: Record<string, string> = { lane: 'live' }): readonly Message[] {
  return Array.from({ length: count }, (_, index) => message(`${prefix}${index}`, attributes));
}

type Respond = (batch: readonly Delivered[], signal: AbortSignal) => Promise<readonly Disposition[]>;

/** A consumer that remembers. */
class Reader {
  readonly seen: Delivered[] = [];
  readonly batches: (readonly Delivered[])[] = [];
  readonly consumer: Consumer;

  constructor(broker: BrokerPort, spec: SubscriptionSpec, respond: Respond = each(() => ack)) {
    this.consumer = broker.consume(spec, async (batch, signal) => {
      this.batches.push(batch);
      this.seen.push(...batch);
      return respond(batch, signal);
    });
  }

  get texts(): ReadonlySet<string> {
    return new Set(this.seen.map(text));
  }

  times(body: string): number {
    return this.seen.filter((one) => text(one) === body).length;
  }

  has(messages: readonly Message[]): boolean {
    const { texts } = this;
    return messages.every((one) => texts.has(text(one)));
  }
}

/** A promise that a handler waits for, opened by the test. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

function each(decide: (message: Delivered) => Disposition): Respond {
  return async (batch) => batch.map(decide);
}

const all = (batch: readonly Delivered[]): readonly Disposition[] => batch.map(() => ack);

export function describeBrokerContract(
  name: string,
  makeBroker: () => Promise<BrokerHarness>,
  capabilities: BrokerCapabilities,
): void {
  const law = (key: Law, title: string, test: () => Promise<void>): void => {
    const reason = capabilities.notShown?.[key];
    if (reason === undefined) it(title, test);
    else it.skip(`${title} (not shown here: ${reason})`, test);
  };

  describe(`the broker port's laws: ${name}`, () => {
    let harness: BrokerHarness;
    let broker: BrokerPort;
    let topic: string;

    beforeEach(async () => {
      harness = await makeBroker();
      broker = harness.broker;
      topic = `raw.contract-${++names}`;
      await broker.ensure([topic], []);
    });

    afterEach(async () => {
      await harness.close();
    });

    async function subscription(part: Partial<SubscriptionSpec> = {}): Promise<SubscriptionSpec> {
      const spec: SubscriptionSpec = {
        name: `sub-${++names}`,
        service: 'reader',
        topic,
        lane: 'live',
        sharing: 'shared',
        ackDeadlineSeconds: 60,
        flow: FLOW,
        ...part,
      };
      await broker.ensure([], [spec]);
      return spec;
    }

    async function publish(messages: readonly Message[], survives: 'kill' | 'power' = 'kill'): Promise<void> {
      for (let left = PUBLISH_TRIES; ; left--) {
        try {
          return await broker.publish(topic, messages, survives);
        } catch (error) {
          if (error instanceof InvalidMessage || left === 0) throw error;
        }
      }
    }

    describe('what is refused', () => {
      const long = 'x'.repeat(MESSAGE_LIMITS.attributeValueBytes);
      const full = Object.fromEntries(Array.from({ length: MESSAGE_LIMITS.attributes }, (_, at) => [`a${at}`, 'v']));
      const refused: readonly (readonly [string, Message])[] = [
        ['a message with neither body nor attributes', message('')],
        ['a body of more than 10 MB', message(Buffer.alloc(MESSAGE_LIMITS.bodyBytes + 1))],
        [
          'body and attributes of more than 10 MB together',
          message(Buffer.alloc(MESSAGE_LIMITS.bodyBytes), { a: 'b' }),
        ],
        ['more than 100 attributes', message('b', { ...full, extra: 'v' })],
        ['a value of more than 1,024 bytes', message('b', { a: `${long}x` })],
        ['a value of fewer characters but more bytes', message('b', { a: 'é'.repeat(513) })],
        ['a key of more than 256 bytes', message('b', { ['k'.repeat(257)]: 'v' })],
        ['an empty key', message('b', { '': 'v' })],
        ['a key that Google keeps for itself', message('b', { googclient: 'v' })],
      ];

      it.each(refused)('refuses %s before anything of the publish is kept', async (_, bad) => {
        const spec = await subscription({ lane: 'any' });
        const reader = new Reader(broker, spec);
        await expect(broker.publish(topic, [message('before'), bad], 'kill')).rejects.toBeInstanceOf(InvalidMessage);
        await publish([message('after')]);
        await harness.until(() => reader.texts.has('after'));
        await harness.quiet();
        expect(reader.texts).toEqual(new Set(['after']));
      });

      it('takes a message at every limit of its attributes', async () => {
        const spec = await subscription({ lane: 'any' });
        const reader = new Reader(broker, spec);
        const largest = message('b', { ...full, a0: long, ['é'.repeat(128)]: 'v' });
        delete (largest.attributes as Record<string, string>).a1;
        await publish([largest]);
        await harness.until(() => reader.seen.length > 0);
        expect(reader.seen[0]?.attributes).toEqual(largest.attributes);
      });

      it('rejects a publish to a topic that does not exist', async () => {
        await expect(broker.publish('raw.nobody-made-this', [message('b')], 'kill')).rejects.toThrow();
      });

      it('ends a consumer of a subscription that does not exist', async () => {
        const spec = { ...(await subscription()), name: 'nobody-made-this' };
        const reader = new Reader(broker, spec);
        let isEnded = false;
        reader.consumer.ended.catch(() => (isEnded = true));
        reader.consumer.started.catch(() => undefined);
        await harness.until(() => isEnded);
        await expect(reader.consumer.ended).rejects.toThrow('nobody-made-this');
      });

      it('refuses to take a subscription for one with another filter', async () => {
        const spec = await subscription({ lane: 'live' });
        await expect(broker.ensure([], [{ ...spec, lane: 'bulk' }])).rejects.toThrow(spec.name);
      });
    });

    describe('what is delivered', () => {
      it('delivers every message of an acknowledged publish, whatever survives it', async () => {
        const reader = new Reader(broker, await subscription());
        const first = many(300, 'kill-');
        const second = many(300, 'power-');
        await Promise.all([publish(first, 'kill'), publish(second, 'power')]);
        await harness.until(() => reader.has([...first, ...second]));
      });

      it('keeps bodies and attributes as they were, byte for byte', async () => {
        const reader = new Reader(broker, await subscription({ lane: 'any' }));
        const sent = [
          message(randomBytes(5_000), { lane: 'live', kind: 'binary' }),
          message('', { only: 'attributes' }),
          message('no attributes'),
          message('text', { lane: 'live', name: 'Zoë 🌊 O’Brien', empty: '', newline: 'a\nb\0c' }),
          message(Buffer.from([0, 255, 128, 10]), { z: '1', a: '2', lane: 'bulk' }),
        ];
        await publish(sent);
        const key = (one: Message): string =>
          `${Buffer.from(one.body).toString('hex')} ${JSON.stringify(Object.entries(one.attributes).sort())}`;
        await harness.until(() => new Set(reader.seen.map(key)).size >= sent.length);
        expect(new Set(reader.seen.map(key))).toEqual(new Set(sent.map(key)));
      });

      law('largestMessage', 'delivers a message of just under 10 MB', async () => {
        const reader = new Reader(broker, await subscription({ lane: 'any' }));
        const body = randomBytes(MESSAGE_LIMITS.bodyBytes - 1_000);
        await publish([message(body, { lane: 'live' })]);
        await harness.until(() => reader.seen.length > 0);
        expect(body.equals(reader.seen[0]?.body ?? Buffer.alloc(0))).toBe(true);
      });

      it('tells id, time and attempts', async () => {
        const reader = new Reader(broker, await subscription());
        await publish(many(20));
        await harness.until(() => reader.has(many(20)));
        expect(new Set(reader.seen.map((one) => one.messageId)).size).toBeGreaterThanOrEqual(20);
        expect(reader.seen.every((one) => one.publishedAt instanceof Date && one.publishedAt.getTime() > 0)).toBe(true);
        expect(reader.seen.every((one) => Number.isInteger(one.deliveryAttempts) && one.deliveryAttempts >= 0)).toBe(
          true,
        );
      });

      it('does not show what its publisher changes afterwards', async () => {
        const reader = new Reader(broker, await subscription());
        const body = Buffer.from('as it was');
        await publish([message(body, { lane: 'live' })]);
        body.fill('x');
        await harness.until(() => reader.seen.length > 0);
        expect(text(reader.seen[0] as Delivered)).toBe('as it was');
      });

      it('gives each subscription of a topic all, and each consumer of a shared one a part', async () => {
        const shared = await subscription();
        const readers = [
          new Reader(broker, shared),
          new Reader(broker, shared),
          new Reader(broker, await subscription()),
        ];
        const sent = many(500);
        await publish(sent);
        await harness.until(() => readers[2]?.has(sent) ?? false);
        await harness.until(() =>
          sent.every((one) => readers[0]?.texts.has(text(one)) || readers[1]?.texts.has(text(one))),
        );
        await harness.quiet();
        if (capabilities.keepsAcks) expect((readers[0]?.seen.length ?? 0) + (readers[1]?.seen.length ?? 0)).toBe(500);
      });

      it('gives each running instance of a broadcast all that is published while it runs', async () => {
        const spec = await subscription({ sharing: 'broadcast' });
        const readers = [new Reader(broker, spec), new Reader(broker, spec)];
        let probes = 0;
        // An instance's own subscription takes a moment to exist, and sees only what comes after that.
        for (; !readers.every((reader) => reader.seen.length > 0); probes++) {
          await publish(many(1, `probe-${probes}-`));
          await harness.quiet();
        }
        const sent = many(200);
        await publish(sent);
        await harness.until(() => readers.every((reader) => reader.has(sent)));
        for (const reader of readers) await reader.consumer.drain(1_000);
      });

      it('gives an instance of a broadcast, once it has started, all that is published from then on', async () => {
        const reader = new Reader(broker, await subscription({ sharing: 'broadcast' }));
        await reader.consumer.started;
        await publish(many(50));
        await harness.until(() => reader.has(many(50)));
        await reader.consumer.drain(1_000);
      });

      it('shows a subscription nothing that was published before it existed', async () => {
        const early = new Reader(broker, await subscription());
        await publish(many(10, 'early-'));
        await harness.until(() => early.has(many(10, 'early-')));
        const late = new Reader(broker, await subscription());
        await publish(many(10, 'late-'));
        await harness.until(() => late.has(many(10, 'late-')));
        await harness.quiet();
        expect([...late.texts].filter((one) => one.startsWith('early-'))).toEqual([]);
      });

      it('changes nothing that is there when the same topology is ensured again', async () => {
        const spec = await subscription();
        await publish(many(10));
        await broker.ensure([topic], [spec]);
        const reader = new Reader(broker, spec);
        await harness.until(() => reader.has(many(10)));
      });
    });

    describe('filters', () => {
      const published = [
        message('live', { lane: 'live' }),
        message('bulk', { lane: 'bulk' }),
        message('none'),
        message('live to reader', { lane: 'live', to: 'reader' }),
        message('bulk to reader', { lane: 'bulk', to: 'reader' }),
        message('bulk to other', { lane: 'bulk', to: 'other' }),
      ];
      const cases = [
        ['live', ['live', 'live to reader']],
        ['bulk', ['bulk', 'bulk to reader']],
        ['any', ['live', 'bulk', 'none', 'live to reader', 'bulk to reader']],
      ] as const;

      it.each(cases)(
        'gives lane %s its own and what is addressed to nobody or to its service',
        async (lane, expected) => {
          const reader = new Reader(broker, await subscription({ lane }));
          await publish(published);
          await harness.until(() => expected.every((one) => reader.texts.has(one)));
          await harness.quiet();
          expect(reader.texts).toEqual(new Set(expected));
        },
      );

      it('never mixes lanes in a batch', async () => {
        const reader = new Reader(broker, await subscription({ lane: 'any' }));
        const sent = Array.from({ length: 200 }, (_, at) =>
          message(`m${at}`, { lane: at % 2 === 0 ? 'live' : 'bulk' }),
        );
        await publish(sent);
        await harness.until(() => reader.has(sent));
        for (const batch of reader.batches) expect(new Set(batch.map((one) => one.attributes.lane)).size).toBe(1);
      });

      law('liveFirst', 'hands no bulk batch while a live one waits', async () => {
        const order: string[] = [];
        const flow = { ...FLOW, batchMessages: 10, lingerMs: 0, outstandingMessages: 10 };
        const [live, bulk] = [await subscription({ lane: 'live', flow }), await subscription({ lane: 'bulk', flow })];
        await publish(many(500, 'bulk-', { lane: 'bulk' }));
        await publish(many(100, 'live-', { lane: 'live' }));
        const respond = async (batch: readonly Delivered[]): Promise<readonly Disposition[]> => {
          order.push(batch[0]?.attributes.lane ?? '');
          return all(batch);
        };
        const readers = [new Reader(broker, bulk, respond), new Reader(broker, live, respond)];
        await harness.until(() => readers[0]?.texts.size === 500 && readers[1]?.texts.size === 100);
        // At most one bulk batch can be under way when a live one comes, and each answer takes a turn.
        expect(order.slice(0, 20).filter((lane) => lane === 'live').length).toBeGreaterThanOrEqual(9);
        expect(order.lastIndexOf('live')).toBeLessThan(25);
      });
    });

    describe('outcomes', () => {
      it('delivers again what was answered with retry, and only that', async () => {
        const reader: Reader = new Reader(
          broker,
          await subscription(),
          each((one) => (text(one) === 'm3' && reader.times('m3') < 3 ? retry(50, 'not yet') : ack)),
        );
        await publish(many(10));
        await harness.until(() => reader.times('m3') >= 3);
        await harness.quiet();
        if (capabilities.keepsAcks) expect(reader.seen.length).toBe(12);
      });

      law('retryWaits', 'takes the delay of a retry for advice, but not for nothing', async () => {
        let isRetried = false;
        const reader: Reader = new Reader(
          broker,
          await subscription(),
          each(() => (isRetried ? ack : ((isRetried = true), retry(400_000, 'later')))),
        );
        await publish(many(1));
        await harness.until(() => reader.seen.length >= 1);
        await harness.quiet();
        expect(reader.seen.length).toBe(1);
      });

      it('lets a message that never succeeds block only itself', async () => {
        const reader: Reader = new Reader(
          broker,
          await subscription(),
          each((one) => (text(one) === 'm0' ? retry(20, 'poison') : ack)),
        );
        await publish(many(1));
        await harness.until(() => reader.times('m0') >= 3);
        const rest = many(300, 'rest-');
        await publish(rest);
        await harness.until(() => reader.has(rest));
      });

      law('attemptsGrow', 'counts attempts, approximately, for a message that is tried again and again', async () => {
        const reader: Reader = new Reader(
          broker,
          await subscription(),
          each(() => (reader.seen.length < 6 ? retry(10, 'again') : ack)),
        );
        await publish(many(1));
        await harness.until(() => reader.seen.length >= 6);
        expect(Math.max(...reader.seen.map((one) => one.deliveryAttempts))).toBeGreaterThanOrEqual(3);
      });

      it('takes discard and deadLetter for done: the runtime has counted or parked them', async () => {
        const reader: Reader = new Reader(
          broker,
          await subscription(),
          each((one) => (text(one) === 'm0' ? discard('not ours') : deadLetter('bad', 'cannot be read'))),
        );
        await publish(many(5));
        await harness.until(() => reader.has(many(5)));
        await harness.quiet();
        if (capabilities.keepsAcks) expect(reader.seen.length).toBe(5);
      });

      it('releases the whole batch when the handler throws', async () => {
        const thrown: string[] = [];
        const answered = new Set<string>();
        let throws = 0;
        const respond: Respond = async (batch) => {
          if (throws++ < 3) {
            thrown.push(...batch.map(text));
            throw new Error('the handler broke');
          }
          for (const one of batch) answered.add(text(one));
          return all(batch);
        };
        const reader = new Reader(broker, await subscription(), respond);
        await publish(many(20));
        await harness.until(() => throws > 3 && thrown.every((one) => answered.has(one)) && reader.has(many(20)));
      });

      it('releases the whole batch when dispositions are missing', async () => {
        let isFirst = true;
        const reader = new Reader(broker, await subscription(), async (batch) => {
          const answers = all(batch).slice(isFirst ? 1 : 0);
          isFirst = false;
          return answers;
        });
        await publish(many(1));
        await harness.until(() => reader.times('m0') >= 2);
      });
    });

    describe('flow', () => {
      it('overlaps handlers, up to the messages that may be outstanding', async () => {
        const { opened, open } = gate();
        let outstanding = 0;
        let most = 0;
        const flow = { ...FLOW, batchMessages: 10, outstandingMessages: 35 };
        const reader = new Reader(broker, await subscription({ flow }), async (batch) => {
          outstanding += batch.length;
          most = Math.max(most, outstanding);
          await opened;
          outstanding -= batch.length;
          return all(batch);
        });
        await publish(many(200));
        await harness.until(() => reader.batches.length >= 3);
        await harness.quiet();
        expect(most).toBeLessThanOrEqual(35);
        expect(reader.batches.length).toBeGreaterThanOrEqual(3);
        open();
        await harness.until(() => reader.has(many(200)));
        expect(most).toBeLessThanOrEqual(35);
        for (const batch of reader.batches) expect(batch.length).toBeLessThanOrEqual(10);
      });

      it('keeps to the bytes of a batch and to those outstanding, but lets a larger message pass alone', async () => {
        let outstanding = 0;
        let most = 0;
        const bytesOf = (batch: readonly Delivered[]): number => batch.reduce((sum, one) => sum + one.body.length, 0);
        const flow = { ...FLOW, batchBytes: 5_000, outstandingBytes: 12_000 };
        const reader = new Reader(broker, await subscription({ flow }), async (batch) => {
          if (batch.length > 1) expect(bytesOf(batch)).toBeLessThanOrEqual(5_000);
          outstanding += bytesOf(batch);
          most = Math.max(most, outstanding);
          await Promise.resolve();
          outstanding -= bytesOf(batch);
          return all(batch);
        });
        const sent = Array.from({ length: 40 }, (_, at) =>
          message(`${at}:`.padEnd(at === 20 ? 30_000 : 1_000, '.'), { lane: 'live' }),
        );
        await publish(sent);
        await harness.until(() => reader.has(sent));
        expect(most).toBeLessThanOrEqual(30_000);
      });

      it('gathers messages into batches', async () => {
        const reader = new Reader(broker, await subscription());
        await publish(many(200));
        await harness.until(() => reader.has(many(200)));
        expect(reader.batches.length).toBeLessThan(100);
      });
    });

    describe('pause and drain', () => {
      it('releases on pause what is held, ignores the late answer, and delivers it again on resume', async () => {
        const { opened, open } = gate();
        const signals: AbortSignal[] = [];
        const reader = new Reader(broker, await subscription(), async (batch, signal) => {
          signals.push(signal);
          await opened;
          return all(batch);
        });
        await publish(many(30));
        await harness.until(() => reader.has(many(30)));
        await reader.consumer.pause();
        expect(signals.every((signal) => signal.aborted)).toBe(true);
        open();
        const before = reader.seen.length;
        await publish(many(5, 'later-'));
        await harness.quiet();
        expect(reader.seen.length).toBe(before);
        reader.consumer.resume();
        await harness.until(
          () => many(30).every((one) => reader.times(text(one)) >= 2) && reader.has(many(5, 'later-')),
        );
      });

      it('may be paused and resumed again and again', async () => {
        const reader = new Reader(broker, await subscription());
        for (let round = 0; round < 5; round++) {
          await reader.consumer.pause();
          await publish(many(5, `round-${round}-`));
          reader.consumer.resume();
        }
        await harness.until(() => [0, 1, 2, 3, 4].every((round) => reader.has(many(5, `round-${round}-`))));
      });

      it('waits in drain for the batches under way, and then ends', async () => {
        const { opened, open } = gate();
        const spec = await subscription({ flow: { ...FLOW, batchMessages: 5, outstandingMessages: 10 } });
        const reader = new Reader(broker, spec, async (batch) => {
          await opened;
          return all(batch);
        });
        await publish(many(40));
        await harness.until(() => reader.batches.length >= 2);
        let isDrained = false;
        const draining = reader.consumer.drain(50_000).then(() => (isDrained = true));
        await harness.quiet();
        expect(isDrained).toBe(false);
        open();
        await harness.until(() => isDrained);
        await draining;
        await reader.consumer.ended;
        const handled = reader.seen.length;
        const next = new Reader(broker, spec);
        await harness.until(() => many(40).every((one) => reader.texts.has(text(one)) || next.texts.has(text(one))));
        await harness.quiet();
        expect(reader.seen.length).toBe(handled);
        if (capabilities.keepsAcks) expect(next.seen.length).toBe(40 - handled);
      });

      it('releases after the time given to drain what is still held', async () => {
        const spec = await subscription();
        const { opened, open } = gate();
        const reader = new Reader(broker, spec, async (batch) => {
          await opened;
          return all(batch);
        });
        await publish(many(10));
        await harness.until(() => reader.has(many(10)));
        let isDrained = false;
        void reader.consumer.drain(200).then(() => (isDrained = true));
        await harness.until(() => isDrained);
        const next = new Reader(broker, spec);
        await harness.until(() => next.has(many(10)));
        open();
      });
    });

    describe('seek', () => {
      it('acks everything older, handled or not', async () => {
        const spec = await subscription();
        await publish(many(20, 'old-'));
        await harness.quiet();
        const probe = new Reader(broker, await subscription());
        await publish(many(1, 'mark-'));
        await harness.until(() => probe.seen.length > 0);
        const mark = probe.seen[0]?.publishedAt as Date;
        await broker.seek(spec.name, mark);
        const reader = new Reader(broker, spec);
        await publish(many(5, 'new-'));
        await harness.until(() => reader.has(many(5, 'new-')));
        await harness.quiet();
        expect([...reader.texts].filter((one) => one.startsWith('old-'))).toEqual([]);
        expect(reader.texts).toContain('mark-0');
      });

      law('seekBack', 'delivers again what was acked since, as far as it is retained', async () => {
        const spec = await subscription();
        const reader = new Reader(broker, spec);
        await publish(many(20));
        await harness.until(() => reader.has(many(20)));
        const first = new Date(Math.min(...reader.seen.map((one) => one.publishedAt.getTime())) - 1);
        await harness.quiet();
        await broker.seek(spec.name, first);
        await harness.until(() => many(20).every((one) => reader.times(text(one)) >= 2));
      });

      it('rejects for a subscription that does not exist', async () => {
        await expect(broker.seek('nobody-made-this', new Date(0))).rejects.toThrow('nobody-made-this');
      });
    });
  });
}
