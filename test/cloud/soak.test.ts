/**
 * The river as the cloud runs it: each service a process of its own, on the Pub/Sub emulator, the BigQuery simulator and
 * the Cloud Storage fake. One after the other is killed while people work; the warehouse must end as the vendors' truth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openBigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { freePort } from '#tools/free-port.ts';
import { expectCallTruth, expectSalesforceTruth, openCompany, type Company } from '#test/flow/company.ts';
import { googleValues } from '#test/kit/google.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';
import type { Values } from '#runtime/settings.ts';
import { ServiceProcess } from './service-process.ts';

const SERVICES = ['bq-writer', 'resolver', 'archiver', 'normalizer', 'ingest-dialpad', 'ingest-salesforce'] as const;
const ROUNDS = 2;
const SETTLES_WITHIN_MS = 180_000;
const MIX = { update: 60, create: 10, delete: 6, undelete: 5, massUpdate: 5, merge: 4, convert: 4, call: 30 };

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Rows {
  rows(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
}

async function warehouseOf(values: Values): Promise<Rows> {
  const warehouse = await openBigqueryWarehouse({
    projectId: values['google.project'] ?? '',
    location: 'US',
    dataset: 'sales_intelligence',
    writes: 'storage-write',
    maxStalenessSeconds: 0,
    policyTag: null,
    clock: systemClock,
    simulator: { restUrl: values['bigquery.restUrl'] ?? '', grpcEndpoint: values['bigquery.grpcEndpoint'] ?? '' },
  });
  ends.push(() => warehouse.close());
  return {
    async rows(sql) {
      const rows: Readonly<Record<string, unknown>>[] = [];
      for await (const page of warehouse.query(sql, { rows: 1_000_000, timeoutMs: 30_000 })) rows.push(...page);
      return rows;
    },
  };
}

async function expectTruth(acme: Company, rows: Rows): Promise<void> {
  await expectSalesforceTruth(acme, rows);
  await expectCallTruth(acme, rows);
}

/** Nobody outside sees when a river of several processes is idle: the truth must come, and then stay. */
async function untilTruth(acme: Company, rows: Rows, services: readonly ServiceProcess[]): Promise<void> {
  const end = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    try {
      return await expectTruth(acme, rows);
    } catch (error) {
      if (performance.now() > end) {
        const said = services.map((service) => `--- ${service.name}\n${service.said}`).join('\n');
        throw new Error(`The truth did not come. ${said}`, { cause: error });
      }
      await sleep(1_000);
    }
  }
}

it('each service, killed in turn while people work, leaves nothing lost, doubled or stale', async () => {
  const random = seededRandom(seedFromEnvironment(77));
  const acme = await openCompany({ seed: 77, contacts: 300, readLagMs: 200, sources: ['salesforce', 'dialpad'] });
  ends.push(() => acme.close());
  const places = await googleValues(`soak-${process.pid}`);
  const ports = await Promise.all(SERVICES.map(() => freePort()));
  const services = SERVICES.map((name, at) => new ServiceProcess(name, ports[at] ?? 0, { ...acme.values, ...places }));
  ends.push(async () => void (await Promise.all(services.map((service) => service.kill()))));
  acme.dialpad?.subscribe(`http://127.0.0.1:${ports[SERVICES.indexOf('ingest-dialpad')]}/webhooks/dialpad`);
  for (const service of services) {
    service.start();
    await service.untilReady();
  }
  const rows = await warehouseOf(places);
  const working = acme.work({ count: 600, perSecond: 12, seed: 77, mix: MIX });
  for (let round = 0; round < ROUNDS; round++)
    for (const service of services) {
      await sleep(500 + random.below(2_000));
      await service.kill();
      await sleep(random.below(1_500));
      service.start();
      await service.untilReady();
    }
  await working;
  await untilTruth(acme, rows, services);
  await sleep(5_000);
  await expectTruth(acme, rows);
  expect(await rows.rows('SELECT code FROM sales_intelligence.dead_letters')).toEqual([]);
  for (const service of services) {
    const { code, tookMs } = await service.terminate();
    expect(code, `${service.name} drains and ends\n${service.said}`).toBe(0);
    expect(tookMs, service.name).toBeLessThan(10_000);
  }
}, 600_000);
