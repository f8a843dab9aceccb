/** Turns calls and activities, and the people in the CRM, into matches, and nothing else. One instance at a time. */
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { codeOf, messageOf } from '#core/errors.ts';
import { defineService } from '#core/service.ts';
import type { BatchHandler, Flow } from '#core/ports/broker.ts';
import { WorldIndex } from './index/index.ts';
import type { ResolvedEntity } from './intake.ts';
import { Compaction } from './log/compaction.ts';
import { EntryCodec } from './log/entries.ts';
import { Fence } from './log/fence.ts';
import { load } from './log/load.ts';
import { Log } from './log/log.ts';
import { RULES_VERSION } from './match/explain.ts';
import { Resolver } from './resolve.ts';

/** A batch is some 5 ms of work; acks wait for a segment, so more than one is outstanding. */
const RESOLVER_FLOW: Flow = {
  batchMessages: 1_000,
  batchBytes: 2_000_000,
  lingerMs: 0,
  outstandingMessages: 8_000,
  outstandingBytes: 16_000_000,
};

const SHARED = { sharing: 'shared', ackDeadlineSeconds: 60, flow: RESOLVER_FLOW } as const;

export default defineService(
  {
    name: 'resolver',
    doc: 'Finds which contact, lead and account each call and activity concerns, and why.',
    source: null,
    uses: ['objects'],
    publishes: ['resolved.match'],
    subscribes: {
      contact: { topic: 'canonical.contact', ...SHARED },
      lead: { topic: 'canonical.lead', ...SHARED },
      account: { topic: 'canonical.account', ...SHARED },
      user: { topic: 'canonical.user', ...SHARED },
      call: { topic: 'canonical.call', ...SHARED },
      call_detail: { topic: 'canonical.call_detail', ...SHARED },
      activity: { topic: 'canonical.activity', ...SHARED },
    },
    routes: {},
    schedules: {},
    singletons: {},
    underLease: true,
    commands: {},
    config: {
      'resolver.segmentLingerMs': {
        kind: 'integer',
        unit: 'milliseconds',
        default: 50,
        maximum: 5_000,
        doc: 'How long a segment of the log waits for more. Acks wait for it, matches do not.',
      },
    },
  },
  async (context) => {
    const { config, clock, random, telemetry, leaseEpoch } = context;
    const { objects } = context.ports;
    const fence = new Fence(objects, leaseEpoch);
    await fence.raise();
    const codec = new EntryCodec();
    const index = new WorldIndex(createPhoneParser({ defaultCountry: null, cacheEntries: 20_000 }));
    const loaded = await load({ objects, codec, index });

    const header = (): { isSettled: boolean; rules: string } => ({
      isSettled: resolver.isSettled,
      rules: RULES_VERSION,
    });
    const lingerMs = config['resolver.segmentLingerMs'];
    const log = new Log({ objects, clock, codec, fence, epoch: leaseEpoch, header, lingerMs, segmentEntries: 8_000 });
    const compaction = new Compaction({ objects, codec, fence, index, log, telemetry, loadedBytes: loaded.bytes });
    const resolver: Resolver = new Resolver({
      index,
      log,
      codec: context.codec,
      clock,
      telemetry,
      epoch: leaseEpoch,
      publish: (messages) => context.publish('resolved.match', messages, 'kill'),
      afterRound: () => compaction.consider(),
    });
    const isSettled = loaded.header === undefined || (loaded.header.isSettled && loaded.header.rules === RULES_VERSION);
    if (!isSettled) resolver.sweep(random.id());

    const handler =
      (entity: ResolvedEntity): BatchHandler =>
      (batch, signal) =>
        resolver.handle(entity, batch, signal);
    return {
      handlers: {
        contact: handler('contact'),
        lead: handler('lead'),
        account: handler('account'),
        user: handler('user'),
        call: handler('call'),
        call_detail: handler('call_detail'),
        activity: handler('activity'),
      },
      routes: {},
      schedules: {},
      singletons: {},
      commands: {},
      busy: () => resolver.isBusy,
      /** Rejects while the objects are away, and for good once another resolver has taken over. */
      probe: () => fence.check(),
      async stop() {
        await resolver.stop();
        await compaction.stop();
        try {
          await log.close();
        } catch (error) {
          telemetry.emit('faultSeen', { service: 'resolver', code: codeOf(error), message: messageOf(error) });
        }
      },
    };
  },
);
