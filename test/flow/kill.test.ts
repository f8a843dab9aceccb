/** The pipeline as a real process, killed with SIGKILL at seeded moments and started again, against vendors in this one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { seededRandom, seedFromEnvironment, type SeededRandom } from '#test/kit/random.ts';
import { startChanges } from '#tools/simulators/world/index.ts';
import { expectCallTruth, expectSalesforceTruth, openCompany, type Company } from './company.ts';
import { freePort } from '#tools/free-port.ts';
import { Pipeline } from './pipeline.ts';

const PAGE_ROWS = 50;
const PAGE_MS = 250;
/** Downloads that may be under way when the process dies: pages of each of the objects read at once. */
const UNDER_WAY = 3 * 4;
/** A finished page is on record within a second, for a store may take no more than one write a second. */
const ON_RECORD_MS = 1_300;

const open: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function pagesSince({ salesforce }: Company, sinceMs: number): number {
  return salesforce.org.traffic.last.filter(
    ({ path, status, atMs }) => path.endsWith('/results') && status === 200 && atMs >= sinceMs,
  ).length;
}

/** Answers how many pages this may have had read for nothing. */
async function kill(acme: Company, pipeline: Pipeline): Promise<number> {
  await pipeline.kill();
  return UNDER_WAY + pagesSince(acme, acme.world.now() - ON_RECORD_MS);
}

async function killDuringSync(acme: Company, pipeline: Pipeline, random: SeededRandom): Promise<number> {
  let wasted = 0;
  const { faults } = acme.salesforce.org;
  faults.add({ kind: 'slow', pattern: /\/results/, skip: 0, times: 10_000, bytes: 0, ms: PAGE_MS });
  for (let life = 0; life < 3; life += 1) {
    const already = pagesSince(acme, 0);
    const pages = 1 + random.below(14);
    pipeline.start();
    await pipeline.until(() => pagesSince(acme, 0) >= already + pages);
    await sleep(random.below(1_000));
    wasted += await kill(acme, pipeline);
  }
  faults.clear();
  return wasted;
}

async function killDuringChanges(acme: Company, pipeline: Pipeline, random: SeededRandom): Promise<number> {
  let wasted = 0;
  const mix = { delete: 6, undelete: 5, merge: 4, convert: 4, massUpdate: 4, call: 20 };
  const streams = (): number => acme.salesforce.events.calls.get('Subscribe') ?? 0;
  const changes = startChanges(acme.world, { count: 600, perSecond: 60, seed: random.seed, mix });
  for (let life = 0; life < 3; life += 1) {
    const before = streams();
    pipeline.start();
    await pipeline.until(() => streams() > before);
    await sleep(random.below(1_500));
    wasted += await kill(acme, pipeline);
  }
  await changes.done;
  while (acme.dialpad?.isBusy === true) await sleep(20);
  return wasted;
}

const SEED = seedFromEnvironment(41);

it.each([
  [SEED, 1],
  [SEED + 1, 2],
])(
  'a pipeline killed at any moment ends in the truth, reads no page twice for nothing, and doubles nothing (seed %i, threads %i)',
  async (seed, threads) => {
    const random = seededRandom(seed);
    const acme = await openCompany({
      seed,
      contacts: 2_000,
      readLagMs: 200,
      sources: ['salesforce', 'dialpad'],
      salesforce: { resultRows: PAGE_ROWS },
    });
    open.push(acme);
    const port = await freePort();
    acme.dialpad?.subscribe(`http://127.0.0.1:${port}/webhooks/dialpad`);
    const values = { 'web.port': String(port), threads: String(threads) };
    const pipeline = new Pipeline(acme, { ...acme.values, ...values });
    open.push({ close: () => pipeline.kill() });

    const wasted = (await killDuringSync(acme, pipeline, random)) + (await killDuringChanges(acme, pipeline, random));
    const last = await acme.start({ values });
    await last.untilIdle();

    await expectSalesforceTruth(acme, last);
    await expectCallTruth(acme, last);
    expect(await last.runtime.deadLetters.list({})).toEqual([]);
    expect(acme.salesforce.jobs.all.length, 'jobs').toBeLessThanOrEqual(7 + 2 * 4);
    const pages = acme.salesforce.jobs.all.reduce((sum, { count }) => sum + Math.ceil(count / PAGE_ROWS), 0);
    expect(pagesSince(acme, 0), `${pages} pages`).toBeLessThanOrEqual(pages + wasted);
  },
  120_000,
);
