import { afterEach, describe, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { BatchHandler } from '#core/ports/broker.ts';
import type { AnyService } from '#core/service.ts';
import { normalizer } from '#services/normalizer/service.ts';
import { openDialpad } from '#tools/simulators/dialpad/index.ts';
import { createWorld } from '#tools/simulators/world/index.ts';
import { freshFolder, startRiver, type River } from './kit.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A normalizer that cannot bear some calls, and throws for the whole batch they come in. */
function allergicTo(ids: ReadonlySet<string>): AnyService {
  const healthy: AnyService = normalizer;
  const codec = new Codec();
  const wrap =
    (handler: BatchHandler): BatchHandler =>
    async (batch, signal) => {
      if (batch.some((message) => isPoison(codec.decodeRaw('dialpad', message).envelope, ids)))
        throw new InvalidMessage('allergic', 'This call cannot be borne.');
      return handler(batch, signal);
    };
  return {
    declared: healthy.declared,
    start: async (context) => {
      const living = await healthy.start(context);
      return { ...living, handlers: { ...living.handlers, dialpad: wrap(living.handlers['dialpad']!) } };
    },
  };
}

function isPoison({ object, id }: { readonly object: string; readonly id: string }, ids: ReadonlySet<string>): boolean {
  return object === 'call' && ids.has(id);
}

async function company() {
  const world = createWorld({ seed: 12, contacts: 400 });
  const dialpad = await openDialpad(world);
  const { folder, remove } = freshFolder();
  closing.push(remove, () => dialpad.close());
  const values = {
    'dialpad.baseUrl': dialpad.baseUrl,
    'dialpad.apiKey': dialpad.apiKey,
    'dialpad.companyId': dialpad.companyId,
    'dialpad.webhookSecrets': dialpad.webhookSecret,
  };
  const start = async (instead?: AnyService): Promise<River> => {
    const river = await startRiver({ folder, values, ...(instead === undefined ? {} : { instead }) });
    closing.push(() => river.stop());
    return river;
  };
  return { ids: dialpad.simulator.company.concludedCalls.map(({ id }) => id), start };
}

const callIds = async (river: River): Promise<unknown[]> =>
  (await river.rows('SELECT id FROM sales_intelligence.dialpad_calls')).map(({ id }) => id);

describe('messages that cannot be processed', () => {
  it('block only themselves, and reconcile to zero when the stage is mended and they are replayed', async () => {
    const { ids, start } = await company();
    const poison = new Set([ids[1]!, ids[7]!, ids[20]!]);
    const sick = await start(allergicTo(poison));
    await sick.untilIdle();
    expect(new Set(await callIds(sick))).toEqual(new Set(ids.filter((id) => !poison.has(id))));
    const parked = await sick.runtime.deadLetters.list({});
    expect(parked).toMatchObject([{ service: 'normalizer', code: 'allergic', letters: 3 }]);
    expect(await sick.rows(`SELECT state, count(*) AS n FROM sales_intelligence.dead_letters GROUP BY 1`)).toEqual([
      { state: 'parked', n: 3 },
    ]);
    await sick.stop();

    const mended = await start();
    expect(await mended.runtime.deadLetters.replay({ code: 'allergic' }, false)).toMatchObject({
      matched: 3,
      replayed: 3,
    });
    await mended.untilIdle();
    expect(new Set(await callIds(mended))).toEqual(new Set(ids));
    expect(await mended.runtime.deadLetters.list({})).toEqual([]);
    expect(await mended.rows(`SELECT state, count(*) AS n FROM sales_intelligence.dead_letters GROUP BY 1`)).toEqual([
      { state: 'replayed', n: 3 },
    ]);
  });

  it('that are still poison after three replays are refused a fourth', async () => {
    const { ids, start } = await company();
    const sick = await start(allergicTo(new Set([ids[3]!])));
    await sick.untilIdle();
    for (let replay = 1; replay <= 3; replay += 1) {
      expect(await sick.runtime.deadLetters.replay({}, false)).toMatchObject({ replayed: 1, refused: 0 });
      await sick.untilIdle();
    }
    expect(await sick.runtime.deadLetters.replay({}, false)).toMatchObject({ matched: 1, replayed: 0, refused: 1 });
    expect(await sick.runtime.deadLetters.list({})).toHaveLength(1);
  });

  it('show their reason, their stage and their decoded body, and no other stage gets their replay', async () => {
    const { ids, start } = await company();
    const sick = await start(allergicTo(new Set([ids[3]!])));
    await sick.untilIdle();
    const [group] = await sick.runtime.deadLetters.list({});
    const letter = await sick.runtime.deadLetters.show(group?.examples[0] ?? '');
    expect(letter).toMatchObject({
      service: 'normalizer',
      subscription: 'normalizer.dialpad.bulk',
      code: 'allergic',
      decoded: { envelope: { id: ids[3] } },
    });
  });
});
