/**
 * Measures the resolver by hand, never in a test: `node --expose-gc test/services/resolver/measure.ts [contacts]`.
 * Microseconds of CPU a contact through decoding, index and log; bytes a contact; what a restart costs.
 */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { parseConfig } from '#core/config.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { WorldIndex } from '#services/resolver/index/index.ts';
import { callState, recordState } from '#services/resolver/facts.ts';
import service from '#services/resolver/service.ts';
import type { BatchHandler, Delivered } from '#core/ports/broker.ts';
import { call, codec, contact, delivered, memoryObjects, phone } from './kit.ts';

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

function report(what: string, cpu: NodeJS.CpuUsage, wallMs: number): void {
  const micros = (cpu.user + cpu.system) / CONTACTS;
  console.log(`${what}: ${micros.toFixed(2)} µs CPU and ${((wallMs * 1000) / CONTACTS).toFixed(2)} µs wall a contact`);
}

async function measured(work: () => Promise<void>): Promise<{ cpu: NodeJS.CpuUsage; wallMs: number }> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  await work();
  return { cpu: process.cpuUsage(cpu), wallMs: performance.now() - from };
}

function resident(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
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
  });
}

async function indexAlone(): Promise<void> {
  const index = new WorldIndex(createPhoneParser({ defaultCountry: null, cacheEntries: 1_000 }));
  const before = resident();
  let cpuMicros = 0;
  for (let from = 0; from < CONTACTS; from += BATCH) {
    const states = [];
    for (let n = from; n < from + BATCH; n++)
      states.push(recordState('contact', codec.decodeCanonical('contact', contactMessage(n))));
    const cpu = process.cpuUsage();
    for (const state of states) index.putRecord(state);
    const used = process.cpuUsage(cpu);
    cpuMicros += used.user + used.system;
  }
  const after = resident();
  const own = (index.bytes / CONTACTS).toFixed(0);
  console.log(
    `index: ${(cpuMicros / CONTACTS).toFixed(2)} µs a contact; ${own} bytes of state, ${((after - before) / CONTACTS).toFixed(0)} of RSS a contact`,
  );
  const state = callState(codec.decodeCanonical('call', delivered(call({ id: 'c', number: numberOf(7) }))));
  console.log(`a call put: participant ${index.putParticipant(state).participant}`);
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
  report('decode, index and log', total.cpu, total.wallMs);
  await living.stop?.();
  const bytes = [...objects.stored.values()].reduce((sum, object) => sum + object.length, 0);
  console.log(`log: ${objects.stored.size} objects, ${(bytes / CONTACTS).toFixed(0)} bytes a contact`);
  const { cpu, wallMs } = await measured(async () => void (await start(objects, 2)));
  report('restart', cpu, wallMs);
}

await indexAlone();
await throughService();
console.log(`peak RSS ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB (messages of the measurement included)`);
