import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openFileObjects } from '#adapters/objects/files.ts';
import { discoverServices } from '#runtime/discover.ts';
import { elsewhere } from '#runtime/elsewhere.ts';
import { replayArchive } from '#runtime/replay-archive.ts';
import { parseSettings } from '#runtime/settings.ts';
import { freshFolder, startRiver, type River } from '#test/flow/kit.ts';
import { archive, rawMessage } from '#test/kit/raw-events.ts';

const { folder, remove } = freshFolder();
afterAll(remove);

const contacts = (river: River) => river.rows('SELECT id, generation FROM sales_intelligence_store.contacts');

it('a replay beside stages that run elsewhere only publishes: the rows come when they do', async () => {
  const first = await startRiver({ folder, values: {} });
  expect(await contacts(first)).toEqual([]);
  await first.stop();
  await archive(await openFileObjects(join(folder, 'objects')), 'salesforce', [
    rawMessage({ id: '003000000000001AAA' }),
  ]);

  const settings = parseSettings(await discoverServices(), { 'state.folder': folder });
  const io = { progress: () => undefined, signal: new AbortController().signal };
  const request = { from: new Date(0), to: new Date('2100-01-01T00:00:00Z'), dryRun: false };
  const replayed = await elsewhere(settings, (ports) => replayArchive(ports, request, io));
  expect(replayed).toMatchObject({ events: 1, generation: 1 });

  const stages = await startRiver({ folder, values: {} });
  await stages.untilIdle();
  expect(await contacts(stages)).toEqual([{ id: '003000000000001AAA', generation: 1 }]);
  await stages.stop();
});
