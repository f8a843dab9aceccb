import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFileObjects } from '#adapters/objects/files.ts';
import { CLAIM_ABOVE_BYTES, CLAIMS_PREFIX, checkIn } from '#core/claim.ts';
import { Codec, type RawEvent } from '#core/codec.ts';
import { ERASED_EPOCH } from '#core/erasure.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { namesOf } from '#test/kit/raw-events.ts';
import { expectCallTruth, expectSalesforceTruth, openCompany, type Company } from './company.ts';
import { freshFolder, startRiver, type River } from './kit.ts';

type Row = Readonly<Record<string, unknown>>;
/** Rows of every table and view, by its name. */
type Contents = Readonly<Record<string, readonly Row[]>>;

/** What the pipeline says of itself: it is no event of a source, so it is not archived. */
const OF_THE_PIPELINE: ReadonlySet<string> = new Set([
  TABLES.run.name, TABLES.api_call.name, TABLES.dead_letter.name, 'etl_runs', 'api_usage', 'dead_letters',
]); // prettier-ignore

/** Counts the replays: a replayed read must win over the same read mapped before. */
const REPLAYS = ['generation'];

/**
 * A match is not replayed but found again: by another owner of the resolver's lease (`epoch`), who counts its own
 * revisions (`source_sequence`) at its own times, and names the event that made it look: the last of several equal ones.
 */
const OF_ITS_OWNER = ['epoch', 'source_sequence', 'observed_at', 'run_id', 'trace'];

/** Every change there is, deletions above all. */
const MIX = { delete: 12, undelete: 4, merge: 6, convert: 6, massUpdate: 4, call: 25, callerBecomesContact: 4 };

const EVERYTHING = { from: new Date(0), to: new Date('2100-01-01T00:00:00Z'), dryRun: false };

const closing: (() => unknown)[] = [];
let acme: Company;
let live: River;
let contents: Contents;

beforeAll(async () => {
  acme = await openCompany({ contacts: 150, sources: ['salesforce', 'dialpad'] });
  closing.push(() => acme.close());
  live = await acme.start({
    values: { 'archive.enabled': 'true', 'archive.liveLingerMs': '200', 'archive.bulkLingerMs': '400' },
  });
  await acme.work({ count: 180, perSecond: 120, seed: 3, mix: MIX });
  await live.untilIdle();
  await expectSalesforceTruth(acme, live);
  await expectCallTruth(acme, live);
  await sendLarge(live);
  await live.untilIdle();
  await eraseOne(live);
  await live.untilIdle();
  contents = await read(live);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** An opportunity beyond what a message holds: its body is a claim, whose object does not last as long as the archive. */
async function sendLarge({ runtime }: River): Promise<void> {
  const instance = String((await live.rows('SELECT instance FROM sales_intelligence_store.contacts LIMIT 1'))[0]?.['instance']); // prettier-ignore
  const event: RawEvent = {
    envelope: {
      source: 'salesforce', instance, object: 'Opportunity', id: '006000000000000LRG', operation: 'upsert', lane: 'live', runId: null, observedAtMicros: 1, changedAtMicros: null, trace: 't', hint: null,
      version: { epoch: 0, sourceSequence: 1, issuedMicros: 1, generation: 0 },
    },
    record: JSON.stringify({ Id: '006000000000000LRG', Name: 'Large', Story__c: 'x'.repeat(CLAIM_ABOVE_BYTES) }),
  }; // prettier-ignore
  const whole = new Codec().encodeRaw('salesforce', event);
  const { claim, message } = checkIn('raw.salesforce', whole, Date.now() * 1_000);
  await (await openFileObjects(stateOf('objects'))).put(claim.name, whole.body);
  await runtime.broker.port.publish('raw.salesforce', [message], 'kill');
}

/** An opportunity, since the truth of all else is asked for again below. */
async function eraseOne(river: River): Promise<void> {
  const [row] = await river.rows('SELECT id, instance FROM sales_intelligence.sf_opportunities ORDER BY id LIMIT 1');
  const request = { source: 'salesforce', instance: String(row?.['instance']), object: 'Opportunity', ids: [String(row?.['id'])], dryRun: false } as const;
  await river.runtime.erase(request);
} // prettier-ignore

const stateOf = (part: string): string => join(acme.folder, 'state', part);

async function read(river: River): Promise<Contents> {
  const found: Record<string, readonly Row[]> = {};
  for (const { name } of Object.values(TABLES))
    found[name] = await river.rows(`SELECT * FROM sales_intelligence_store.${name} ORDER BY source, instance, object, id`); // prettier-ignore
  for (const { name } of VIEWS)
    found[`view ${name}`] = await river.rows(`SELECT * FROM sales_intelligence.${name} ORDER BY ALL`);
  return found;
}

/** Without what differs by its meaning. */
function comparable(all: Contents): Contents {
  const kept = Object.entries(all).filter(([name]) => !OF_THE_PIPELINE.has(name.replace('view ', '')));
  return Object.fromEntries(
    kept.map(([name, rows]) => {
      const differing = new Set([...REPLAYS, ...(name.endsWith('matches') ? OF_ITS_OWNER : [])]);
      const without = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([column]) => !differing.has(column))); // prettier-ignore
      return [name, rows.map(without)];
    }),
  );
}

/** Another installation with nothing but what `parts` of the live one's folder hold, which asks no source. */
async function elsewhere(parts: readonly string[]): Promise<{ readonly river: River; readonly folder: string }> {
  const { folder, remove } = freshFolder();
  closing.push(remove);
  for (const part of parts) copy(stateOf(part), join(folder, part));
  const river = await startRiver({ folder, values: { 'normalizer.defaultCountry': 'US' } });
  closing.push(() => river.stop());
  return { river, folder };
}

/** A database that is in use is copied as it stands. */
function copy(from: string, to: string): void {
  if (!from.endsWith('.sqlite')) return cpSync(from, to, { recursive: true });
  const database = new DatabaseSync(from);
  database.prepare('VACUUM INTO ?').run(to);
  database.close();
}

async function replay(river: River): ReturnType<River['runtime']['replayArchive']> {
  const io = { progress: () => undefined, signal: new AbortController().signal };
  const result = await river.runtime.replayArchive(EVERYTHING, io);
  await river.untilIdle();
  return result;
}

it('the live warehouse has all there is to compare: deletions, an erasure, merges, calls with what belongs to them, matches of each kind', () => {
  const deleted = (name: string): number => (contents[name] ?? []).filter((row) => row['deleted'] === true).length;
  expect(deleted('contacts')).toBeGreaterThan(3);
  expect((contents['contacts'] ?? []).some((row) => row['merged_into'] !== null)).toBe(true);
  expect((contents['opportunities'] ?? []).filter(({ epoch }) => Number(epoch) === ERASED_EPOCH)).toHaveLength(1);
  for (const { name } of [TABLES.call, TABLES.call_detail, TABLES.call_recap, TABLES.call_recording, TABLES.call_transcript])
    expect(contents[name]?.length, name).toBeGreaterThan(0);
  const outcomes = new Set((contents['matches'] ?? []).map(({ outcome }) => outcome));
  for (const outcome of ['matched', 'unmatched']) expect(outcomes).toContain(outcome);
  expect(contents['dead_letters']).toEqual([]);
}); // prettier-ignore

it('an empty warehouse filled from the archive alone equals it row by row, field by field; a second time changes nothing', async () => {
  const { river, folder } = await elsewhere(['objects/archive']);
  expect(await namesOf(await openFileObjects(join(folder, 'objects')), CLAIMS_PREFIX)).toEqual([]);
  const result = await replay(river);
  expect(result).toMatchObject({ generation: 1, unmapped: 0, undecodable: 0, damaged: [] });
  const once = await read(river);
  expect(comparable(once)).toEqual(comparable(contents));
  expect((await replay(river)).events).toBe(result.events);
  expect(comparable(await read(river))).toEqual(comparable(contents));
  expect(new Set((await read(river))['contacts']?.map(({ generation }) => Number(generation)))).toEqual(new Set([2]));
});

it('so does a warehouse that was lost, though the resolver remembers what it had published', async () => {
  const { river } = await elsewhere(['objects', 'store.sqlite']);
  expect((await read(river))['matches']).toEqual([]);
  await replay(river);
  expect(comparable(await read(river))).toEqual(comparable(contents));
});

it('a file that is missing from the archive shows: this comparison can fail', async () => {
  const { river, folder } = await elsewhere(['objects/archive']);
  const objects = await openFileObjects(join(folder, 'objects'));
  const sized = await Promise.all(
    (await namesOf(objects, 'archive/')).map(async (name) => ({ name, bytes: (await objects.get(name))?.length ?? 0 })),
  );
  await objects.delete(sized.sort((a, b) => b.bytes - a.bytes)[0]?.name ?? '');
  await replay(river);
  expect(comparable(await read(river))).not.toEqual(comparable(contents));
});

it('a replay into the live warehouse, while people work on, ends in the truth', async () => {
  const replaying = replay(live);
  await acme.work({ count: 60, perSecond: 120, seed: 4, mix: MIX });
  await replaying;
  await live.untilIdle();
  await expectCallTruth(acme, live);
  await expectSalesforceTruth(acme, live, ['Account', 'Contact', 'Lead', 'User', 'Task', 'Event']);
});
