import { MICROS_PER_MS } from '#core/clock.ts';
import { InvalidMessage } from '#core/errors.ts';
import { defineService } from '#core/service.ts';
import { backfill } from './backfill/backfill.ts';
import { changes } from './cdc/changes.ts';
import { eventDecoder } from './cdc/event.ts';
import { fetchSchema } from './cdc/rpc.ts';
import { checkConfig } from './checks.ts';
import { DECLARED } from './declared.ts';
import { isObject, type ObjectName } from './objects.ts';
import { openOrg, type Org } from './org/org.ts';
import { placeWatermarks, poller } from './poll/poller.ts';
import { hintReader } from './read/reader.ts';
import { reconcile } from './reconcile.ts';

export default defineService(DECLARED, async (context) => {
  checkConfig(context.config);
  const org = openOrg(context);
  const decoder = eventDecoder((schemaId) => fetchSchema(org, schemaId));
  const all = backfill(org);
  const live = changes(org, all, decoder);
  const polling = poller(org);
  const reader = hintReader(org, decoder);
  return {
    handlers: { hints: reader.handle },
    routes: {},
    schedules: { poll: (signal) => polling.whenDue(signal) },
    singletons: { changes: live.run },
    commands: {
      backfill: async ({ object }, progress, signal) => {
        const objects = chosen(org, object);
        // A backfill before the service's first start counts as its first sync: from now on the poll repairs.
        await placeWatermarks(org);
        return { runs: await all.run(objects, 'command', true, progress, signal) };
      },
      reconcile: async ({ since, object }, progress, signal) => {
        const sinceMicros = timeOf(since);
        const objects = chosen(org, object);
        const runs = [];
        for (const name of objects) {
          runs.push({ object: name, ...(await reconcile(org, name, sinceMicros, 'command', signal)) });
          progress(runs.length, objects.length, name);
        }
        return { runs };
      },
    },
    busy: () => live.busy() || reader.busy(),
    probe: async () => {
      const path = org.client.data('limits');
      await org.client.json({ path, purpose: 'prompt', signal: context.signal }, () => undefined);
    },
  };
});

function chosen(org: Org, object: string | undefined): readonly ObjectName[] {
  if (object === undefined) return org.objects;
  if (isObject(object) && org.objects.includes(object)) return [object];
  throw new InvalidMessage('unknown_object', `The argument object must be one of ${org.objects.join(', ')}.`);
}

function timeOf(since: string | undefined): number {
  const ms = Date.parse(since ?? '');
  if (Number.isNaN(ms))
    throw new InvalidMessage('not_a_time', 'The argument since must be a time such as 2026-01-05T09:00:00Z.');
  return ms * MICROS_PER_MS;
}
