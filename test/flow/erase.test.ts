import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import { ERASED_EPOCH } from '#core/erasure.ts';
import type { EraseRequest } from '#runtime/erase.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import { openCompany, type Company } from './company.ts';
import type { River } from './kit.ts';

const STORE = 'sales_intelligence_store';

let acme: Company;
let river: River;
/** A contact that a call was matched with, and the call. */
let person: string;
let call: string;
/** By source. */
let instances: Readonly<Record<string, string>>;

beforeAll(async () => {
  acme = await openCompany({ contacts: 150, sources: ['salesforce', 'dialpad'] });
  river = await acme.start({ values: { 'archive.enabled': 'true', 'archive.liveLingerMs': '0' } });
  await acme.work({ count: 60, perSecond: 120, seed: 5, mix: { call: 30, delete: 0, merge: 0, convert: 0, purge: 0 } });
  await river.untilIdle();
  const [match] = await river.rows(
    `SELECT contact_id, MIN(activity_id) AS call FROM ${STORE}.matches
     WHERE outcome = 'matched' AND contact_id IS NOT NULL AND activity_source = 'dialpad'
     GROUP BY contact_id ORDER BY COUNT(*) DESC, contact_id LIMIT 1`,
  );
  [person, call] = [String(match?.['contact_id']), String(match?.['call'])];
  instances = {
    salesforce: await instanceOf('contacts', person),
    dialpad: await instanceOf('calls', call),
  };
});
afterAll(() => acme.close());

async function instanceOf(table: string, id: string): Promise<string> {
  return String((await river.rows(`SELECT instance FROM ${STORE}.${table} WHERE id = '${id}'`))[0]?.['instance']);
}

function request(source: 'salesforce' | 'dialpad', object: string, id: string): EraseRequest {
  return { source, instance: instances[source] ?? '', object, ids: [id], dryRun: false };
}

/** Values of an erased row that say anything; its key and version alone remain. */
async function valuesLeft(entity: 'contact' | 'call', id: string): Promise<Readonly<Record<string, unknown>>> {
  const { name, columns } = TABLES[entity];
  const rows = await river.rows(`SELECT * FROM ${STORE}.${name} WHERE id = '${id}'`);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ deleted: true });
  expect(BigInt(rows[0]?.['epoch'] as number)).toBe(BigInt(ERASED_EPOCH));
  const nothing = (value: unknown): boolean => value === null || value === '' || value === '[]';
  return Object.fromEntries(
    columns.map(({ name: column }) => [column, rows[0]?.[column]]).filter(([, value]) => !nothing(value)),
  ) as Readonly<Record<string, unknown>>;
}

async function matchesNaming(id: string): Promise<number> {
  const rows = await river.rows(`SELECT * FROM ${STORE}.matches`);
  return rows.filter((row) => JSON.stringify(row, plain).includes(id)).length;
}

const plain = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

async function staysErased(): Promise<void> {
  await river.untilIdle();
  expect(await valuesLeft('contact', person)).toEqual({});
  expect(await matchesNaming(person)).toBe(0);
}

describe('an erased person', () => {
  it('is gone from the rows, the views and every match, and their calls go on without them', async () => {
    expect(await matchesNaming(person)).toBeGreaterThan(0);
    expect(await river.runtime.erase(request('salesforce', 'Contact', person))).toMatchObject({ records: 1 });
    await staysErased();
    expect(await river.rows(`SELECT id FROM sales_intelligence.sf_contacts WHERE id = '${person}'`)).toEqual([]);
    const [match] = await river.rows(`SELECT outcome, deleted FROM ${STORE}.matches WHERE activity_id = '${call}'`);
    expect(match).toMatchObject({ deleted: false, outcome: expect.not.stringMatching('^matched$') as string });
  });

  it('does not come back by a change in the source that was forgotten there', async () => {
    acme.world.commit({ changes: [{ kind: 'update', object: 'Contact', id: person, values: { LastName: 'Again' } }] });
    await staysErased();
  });

  it('does not come back by a full backfill, which reads them', async () => {
    const host = river.runtime.hosts.find(({ declared }) => declared.name === 'ingest-salesforce');
    const signal = new AbortController().signal;
    await host?.command('backfill', { object: 'Contact' }, () => undefined, signal);
    await staysErased();
  });

  it('does not come back by a replay of what the broker retains, or of the archive', async () => {
    expect((await river.runtime.replay({ source: 'salesforce', since: new Date(0) })).replayed).toBeGreaterThan(0);
    await staysErased();
    const range = { from: new Date(0), to: new Date('2100-01-01T00:00:00Z'), source: 'salesforce', dryRun: false } as const; // prettier-ignore
    const io = { progress: () => undefined, signal: new AbortController().signal };
    expect((await river.runtime.replayArchive(range, io)).events).toBeGreaterThan(0);
    await staysErased();
  });
});

describe('an erased call', () => {
  it('takes its match with it', async () => {
    await river.runtime.erase(request('dialpad', 'call', call));
    await river.untilIdle();
    expect(await valuesLeft('call', call)).toEqual({});
    expect(await river.rows(`SELECT id FROM sales_intelligence.matches WHERE activity_id = '${call}'`)).toEqual([]);
    expect(await river.rows(`SELECT id FROM sales_intelligence.activity_timeline WHERE id = '${call}'`)).toEqual([]);
  });
});

describe('what is parked of an erased record', () => {
  /** Signed by nobody and no JSON: parked with its bytes. */
  async function park(id: string): Promise<void> {
    const envelope = {
      source: 'salesforce', instance: instances['salesforce'] ?? '', object: 'Contact', id, operation: 'upsert', lane: 'live', runId: null, observedAtMicros: 1, changedAtMicros: null, trace: 't', hint: null,
      version: { epoch: 0, sourceSequence: 1, issuedMicros: 1, generation: 0 },
    } as const; // prettier-ignore
    const message = new Codec().encodeRaw('salesforce', { envelope, record: 'ada@example.com' });
    await river.runtime.broker.port.publish('raw.salesforce', [message], 'kill');
    await river.untilIdle();
  }
  const parked = async (): Promise<number> =>
    (await river.runtime.deadLetters.list({})).reduce((sum, { letters }) => sum + letters, 0);

  it('is counted by a dry run, then dropped, and nothing else is', async () => {
    await park('003000000000901AAA');
    await park('003000000000902AAA');
    const one = request('salesforce', 'Contact', '003000000000901AAA');
    expect(await river.runtime.erase({ ...one, dryRun: true })).toEqual({ records: 1, deadLetters: 1, dryRun: true });
    expect(await parked()).toBe(2);
    expect(await river.runtime.erase(one)).toMatchObject({ records: 1, deadLetters: 1 });
    await river.untilIdle();
    expect(await parked()).toBe(1);
    expect(await river.runtime.erase(one), 'again changes nothing').toMatchObject({ deadLetters: 0 });
  });

  it('is refused where no mapper knows the object, before anything is sent', async () => {
    const wrong = request('salesforce', 'contact', person);
    await expect(river.runtime.erase(wrong)).rejects.toMatchObject({ code: 'unknown_object' });
  });
});
