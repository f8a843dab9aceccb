import { spawnSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { expectCallTruth, expectSalesforceTruth, openCompany } from './company.ts';
import { freePort } from '#tools/free-port.ts';
import { Pipeline } from './pipeline.ts';

const open: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A limit on the size of the files that the process may write stands for a full disk: every write beyond it fails. */
function limitFiles(pid: number, bytes: number | 'unlimited'): boolean {
  return spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]).status === 0;
}

it('while the disk is full webhooks are answered 503 and nothing is acked; once there is space it goes on, with no restart', async (context) => {
  const acme = await openCompany({ contacts: 300, sources: ['salesforce', 'dialpad'] });
  open.push(acme);
  const port = await freePort();
  acme.dialpad?.subscribe(`http://127.0.0.1:${port}/webhooks/dialpad`);
  const pipeline = new Pipeline(acme, { ...acme.values, 'web.port': String(port) });
  open.push({ close: () => pipeline.kill() });
  pipeline.start();
  await pipeline.until(() => acme.salesforce.jobs.all.length === 7);
  await pipeline.until(() => pipeline.isIdle());
  await expectSalesforceTruth(acme, pipeline);

  if (!limitFiles(pipeline.pid, 4_096)) return context.skip('needs prlimit, to limit file sizes with');
  const working = acme.work({ count: 80, perSecond: 20, seed: 3, mix: { call: 25, delete: 5, merge: 3 } });
  const deliveries = acme.dialpad?.simulator.deliveries ?? [];
  // The vendor's third attempt comes six seconds after its first, and the fourth, the last, another eight later.
  await pipeline.until(() => deliveries.some(({ attempt }) => attempt === 3));
  expect(new Set(deliveries.map(({ status }) => status))).toEqual(new Set([503]));
  limitFiles(pipeline.pid, 'unlimited');
  await working;
  await pipeline.until(() => pipeline.isIdle());

  await expect
    .poll(() => expectSalesforceTruth(acme, pipeline).then(() => 'true', String), { timeout: 20_000, interval: 500 })
    .toBe('true');
  await expectCallTruth(acme, pipeline);
  expect(await pipeline.deadLetters()).toEqual({});
});
