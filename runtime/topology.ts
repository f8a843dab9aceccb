/** Topics and subscriptions, derived from what the services declare: the architecture is stated once, in their values. */
import type { Flow, Lane, SubscriptionSpec } from '#core/ports/broker.ts';
import type { AnyService, Declared } from '#core/service.ts';
import { deadLetterTopic, INGESTION_ERRORS } from '#core/topics.ts';

export interface Topology {
  readonly topics: readonly string[];
  readonly subscriptions: readonly SubscriptionSpec[];
}

const LANES: readonly Lane[] = ['live', 'bulk'];

export function topologyOf(services: readonly AnyService[]): Topology {
  const topics = new Set<string>(['ops.event', INGESTION_ERRORS]);
  for (const { declared } of services) {
    declared.publishes.forEach((topic) => topics.add(topic));
    Object.values(declared.subscribes).forEach((entry) => topics.add(entry.topic));
    topics.add(deadLetterTopic(declared.name));
  }
  const subscriptions = services.flatMap(({ declared }) => [...subscriptionsOf(declared), givenUpOf(declared)]);
  return { topics: [...topics].sort(), subscriptions };
}

/** Two subscriptions for each declared one: `<service>.<name>.live` and `….bulk`. */
export function subscriptionsOf(declared: Declared): readonly SubscriptionSpec[] {
  return Object.keys(declared.subscribes).flatMap((name) => LANES.map((lane) => subscriptionOf(declared, name, lane)));
}

export function subscriptionOf(declared: Declared, name: string, lane: Lane): SubscriptionSpec {
  const entry = declared.subscribes[name];
  if (entry === undefined) throw new Error(`The service ${declared.name} declares no subscription «${name}».`);
  return {
    name: `${declared.name}.${name}.${lane}`,
    service: declared.name,
    lane,
    ...entry,
    flow: laneFlow(entry.flow, lane),
  };
}

/** Few messages, each stored by itself. */
const GIVEN_UP_FLOW: Flow = {
  batchMessages: 50,
  batchBytes: 4_000_000,
  lingerMs: 0,
  outstandingMessages: 200,
  outstandingBytes: 16_000_000,
};

/** A dead-letter topic always has this subscription, or what a broker forwards there would be lost: see `given-up.ts`. */
export function givenUpOf(declared: Declared): SubscriptionSpec {
  return {
    name: `${declared.name}.given-up`,
    service: declared.name,
    topic: deadLetterTopic(declared.name),
    lane: 'any',
    sharing: 'shared',
    ackDeadlineSeconds: 60,
    flow: GIVEN_UP_FLOW,
  };
}

/** About 30 ms of work: a live batch waits for at most one bulk batch of each stage. */
const BULK_BATCH_MESSAGES = 256;

function laneFlow(flow: Flow, lane: Lane): Flow {
  return lane === 'live' ? flow : { ...flow, batchMessages: Math.min(flow.batchMessages, BULK_BATCH_MESSAGES) };
}

/** A map of the river, one line a service, for people. */
export function topologyText(services: readonly AnyService[]): string {
  return services.map(({ declared }) => serviceText(declared)).join('\n');
}

function serviceText(declared: Declared): string {
  const rows: [string, readonly string[]][] = [
    ['from', unique(Object.values(declared.subscribes).map((entry) => entry.topic))],
    ['routes', Object.values(declared.routes).map((route) => `${route.method} ${route.path}`)],
    [
      'schedules',
      Object.entries(declared.schedules).map(([name, { everySeconds }]) => `${name} every ${everySeconds} s`),
    ],
    ['leases', [...(declared.underLease ? ['the whole service'] : []), ...Object.keys(declared.singletons)]],
    ['to', unique(declared.publishes)],
    ['commands', Object.keys(declared.commands)],
  ];
  const lines = rows
    .filter(([, values]) => values.length > 0)
    .map(([label, values]) => `  ${label.padEnd(10)}${values.join(', ')}`);
  return [`${declared.name}: ${declared.doc}`, ...lines].join('\n');
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
