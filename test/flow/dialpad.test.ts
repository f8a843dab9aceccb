import { afterEach, describe, expect, it } from 'vitest';
import { openDialpad, type DialpadVendor } from '#tools/simulators/dialpad/index.ts';
import { createWorld, startChanges, type World } from '#tools/simulators/world/index.ts';
import { freshFolder, startRiver, type River } from './kit.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function company(): Promise<{ readonly world: World; readonly dialpad: DialpadVendor; readonly river: () => Promise<River> }> {
  const world = createWorld({ seed: 11, contacts: 300 });
  const dialpad = await openDialpad(world);
  const { folder, remove } = freshFolder();
  closing.push(remove, () => dialpad.close());
  const values = {
    'dialpad.baseUrl': dialpad.baseUrl,
    'dialpad.apiKey': dialpad.apiKey,
    'dialpad.companyId': dialpad.companyId,
    'dialpad.webhookSecrets': dialpad.webhookSecret,
  };
  return {
    world,
    dialpad,
    river: async () => {
      const river = await startRiver({ folder, values });
      closing.push(() => river.stop());
      dialpad.subscribe(`${river.runtime.webUrl ?? ''}/webhooks/dialpad`);
      return river;
    },
  };
}

describe('calls flow from Dialpad to rows', () => {
  it('every concluded call is one row, whether it was listed or pushed', async () => {
    const { world, dialpad, river: start } = await company();
    const river = await start();
    await river.untilIdle();
    const changes = startChanges(world, { count: 40, perSecond: 400, seed: 5, mix: { call: 1, update: 0, create: 0, delete: 0, undelete: 0, massUpdate: 0, merge: 0, convert: 0, callerBecomesContact: 0 } });
    await changes.done;
    while (dialpad.isBusy) await new Promise((resolve) => setTimeout(resolve, 20));
    await river.untilIdle();
    const truth = dialpad.simulator.company.concludedCalls.map(({ id, state }) => ({ id, state }));
    const rows = await river.rows('SELECT id, state FROM sales_intelligence.dialpad_calls');
    expect(truth.length).toBeGreaterThan(60);
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(truth.map(({ id }) => id)));
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    expect(river.seen.filter(({ name }) => name === 'faultSeen')).toEqual([]);
  });
});
