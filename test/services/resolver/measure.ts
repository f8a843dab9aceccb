/**
 * Measures the resolver by hand, never in a test: `node --expose-gc test/services/resolver/measure.ts [contacts]`.
 * Microseconds of CPU a contact through decoding, index and log; bytes a contact; what a restart costs.
 */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { parseConfig } from '#core/config.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { WorldIndex } from '#services/resolver/index/index.ts';
import { recordState } from '#services/resolver/facts.ts';
import { EntryCodec } from '#services/resolver/log/entries.ts';
import { Fence } from '#services/resolver/log/fence.ts';
import { Log } from '#services/resolver/log/log.ts';
import service from '#services/resolver/service.ts';
import type { RecordState } from '#services/resolver/state.ts';
import type { BatchHandler, Delivered } from '#core/ports/broker.ts';
import { codec, contact, delivered, memoryObjects, phone } from './kit.ts';

const CONTACTS = Number(process.argv[2] ?? 600_000);
const BATCH = 1_000;

const numberOf = (n: number): string =>
  `+1${213 + (n % 5)}${200 + (Math.floor(n / 10_000) % 700)}${String(n % 10_000).padStart(4, '0')}`;

function contactMessage(n: number): Delivered {
  const work = numberOf(n * 2);
  const mobile = numberOf(n * 2 + 1);
  return delivered(
    contact({
      id: `003${String(n).padStart(12, '0')}AAA`,
      v: 1_700_000_000_000_000 + n,
      lane: 'bulk',
      account_id: `001${String(n % 60_000).padStart(12, '0')}AAA`,
      first_name: 'Robin',
      last_name: `Sample ${n}`,
      name: `Robin Sample ${n}`,
      title: 'Buyer',
      email: `robin.sample.${n}@company${n % 60_000}.example`,
      phone: work,
      mobile_phone: mobile,
      phones: [phone('phone', work), phone('mobile_phone', mobile)],
      mailing_street: '1 Long Street',
      mailing_city: 'Springfield',
      mailing_country: 'United States',
    }),
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Used {
  readonly cpu: NodeJS.CpuUsage;
  readonly wallMs: number;
}

function plus(a: Used, b: Used): Used {
  return { cpu: { user: a.cpu.user + b.cpu.user, system: a.cpu.system + b.cpu.system }, wallMs: a.wallMs + b.wallMs };
}

function report(what: string, { cpu, wallMs }: Used): void {
  const micros = (cpu.user + cpu.system) / CONTACTS;
  print(`${what}: ${micros.toFixed(2)} µs CPU and ${((wallMs * 1000) / CONTACTS).toFixed(2)} µs wall a contact`);
}

async function measured(work: () => Promise<void>): Promise<Used> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  await work();
  return { cpu: process.cpuUsage(cpu), wallMs: performance.now() - from };
}

/** Bytes that are in use, in the heap and outside. */
function inUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function start(objects: ReturnType<typeof memoryObjects>, epoch: number) {
  const parsed = parseConfig(service.declared.config, {});
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return await service.start({
    ports: { objects },
    config: parsed.config,
    codec,
    clock: systemClock,
    random: systemRandom,
    telemetry: new TelemetryHub(),
    installation: 'measure',
    leaseEpoch: epoch,
    signal: new AbortController().signal,
    publish: async () => undefined,
    record: async () => undefined,
    exclusively: (_name, signal, work) => work(signal),
  });
}

async function indexAlone(): Promise<void> {
  const index = new WorldIndex(createPhoneParser({ defaultCountry: null, cacheEntries: 1_000 }));
  const before = inUse();
  let cpuMicros = 0;
  for (let from = 0; from < CONTACTS; from += BATCH) {
    const states = statesFrom(from);
    const cpu = process.cpuUsage();
    for (const state of states) index.putRecord(state);
    const used = process.cpuUsage(cpu);
    cpuMicros += used.user + used.system;
  }
  const held = ((inUse() - before) / CONTACTS).toFixed(0);
  const own = (index.bytes / CONTACTS).toFixed(0);
  print(
    `index: ${(cpuMicros / CONTACTS).toFixed(2)} µs CPU a contact; ${own} bytes of state, ${held} in use a contact`,
  );
}

function statesFrom(from: number): RecordState[] {
  const numbers = Array.from({ length: BATCH }, (_, at) => from + at);
  return numbers.map((n) => recordState('contact', codec.decodeCanonical('contact', contactMessage(n))));
}

async function logAlone(): Promise<void> {
  const objects = memoryObjects();
  const fence = new Fence(objects, 1);
  const header = () => ({ isSettled: true, rules: 'measured' });
  const entries = new EntryCodec();
  const log = new Log({
    objects,
    clock: systemClock,
    codec: entries,
    fence,
    epoch: 1,
    header,
    lingerMs: 50,
    segmentEntries: 8_000,
  });
  let total = { cpu: { user: 0, system: 0 }, wallMs: 0 };
  for (let from = 0; from < CONTACTS; from += 8 * BATCH) {
    const states = Array.from({ length: 8 }, (_, at) => statesFrom(from + at * BATCH)).flat();
    total = plus(
      total,
      await measured(async () => {
        for (const state of states) log.append({ kind: 'record', state });
        await log.durable();
      }),
    );
  }
  report('log alone, compression in its threads included', total);
}

async function throughService(): Promise<void> {
  const objects = memoryObjects();
  const living = await start(objects, 1);
  const handle: BatchHandler = living.handlers.contact;
  const { signal } = new AbortController();
  let total = { cpu: { user: 0, system: 0 }, wallMs: 0 };
  for (let from = 0; from < CONTACTS; from += 10 * BATCH) {
    const batches: Delivered[][] = [];
    for (let at = from; at < from + 10 * BATCH && at < CONTACTS; at += BATCH)
      batches.push(Array.from({ length: BATCH }, (_, n) => contactMessage(at + n)));
    const { cpu, wallMs } = await measured(async () => {
      await Promise.all(batches.map((batch) => handle(batch, signal)));
    });
    total = {
      cpu: { user: total.cpu.user + cpu.user, system: total.cpu.system + cpu.system },
      wallMs: total.wallMs + wallMs,
    };
  }
  report('decode, index and log', total);
  await living.stop?.();
  const bytes = [...objects.stored.values()].reduce((sum, object) => sum + object.length, 0);
  print(`log: ${objects.stored.size} objects, ${(bytes / CONTACTS).toFixed(0)} bytes a contact`);
  report('restart', await measured(async () => void (await start(objects, 2))));
}

await indexAlone();
await logAlone();
await throughService();
print(`peak RSS ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB (messages of the measurement included)`);
