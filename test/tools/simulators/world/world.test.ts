import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createWorld,
  keepJournal,
  Life,
  OBJECT_NAMES,
  parseId,
  recordId,
  type World,
  type WorldOptions,
} from '#tools/simulators/world/index.ts';
import { numberOf, e164, type Country } from '#tools/simulators/world/numbers.ts';

const EPOCH = Date.UTC(2026, 0, 1);

/** A company whose clock is moved by hand. */
function company(options: Partial<WorldOptions> = {}): { readonly world: World; readonly clock: { ms: number } } {
  const clock = { ms: EPOCH + 1_000_000 };
  const world = createWorld({ seed: 5, contacts: 300, now: () => clock.ms, ...options });
  return { world, clock };
}

function everything(world: World): unknown {
  return OBJECT_NAMES.map((object) => {
    const table = world.tables[object];
    const cursor = table.cursor();
    return Array.from({ length: table.size }, (_, index) =>
      cursor.move(index, world.latest()) ? cursor.record() : null,
    );
  });
}

function live(world: World, clock: { ms: number }, steps: number): void {
  const life = new Life(world, 11, { purge: 2 });
  for (let i = 0; i < steps; i++) {
    clock.ms += 137;
    life.step();
  }
}

describe('the simulated company', () => {
  it('is the same for the same seed, records, calls and life alike', () => {
    const [first, second] = [company(), company()];
    live(first.world, first.clock, 400);
    live(second.world, second.clock, 400);
    expect(everything(first.world)).toEqual(everything(second.world));
    const calls = ({ calls }: World) => Array.from({ length: calls.count }, (_, i) => [calls.at(i), calls.truthAt(i)]);
    expect(calls(first.world)).toEqual(calls(second.world));
  });

  it('is another one for another seed', () => {
    expect(everything(company().world)).not.toEqual(everything(company({ seed: 6 }).world));
  });

  it('names records by ids that sort as they were made and carry their checksum', () => {
    const ids = Array.from({ length: 500 }, (_, i) => recordId('Contact', i * 1_237));
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids);
    for (const [i, id] of ids.entries()) expect(parseId(id)).toEqual({ object: 'Contact', index: i * 1_237 });
    expect(parseId(`${ids[3]!.slice(0, 17)}9`)).toBeUndefined();
    // The known example of the conversion: each of the three letters stands for five characters' capitals.
    expect(ids[0]).toMatch(/^003[A-Za-z0-9]{12}[A-Z0-5]{3}$/);
  });

  it.each(['US', 'GB', 'DE', 'FR'] satisfies Country[])(
    'gives every party in %s a valid number of its own',
    (country) => {
      const spaces = ['contact', 'account', 'lead', 'stranger', 'user', 'contactMobile', 'leadMobile'] as const;
      const numbers = spaces.flatMap((space) =>
        Array.from({ length: 300 }, (_, n) => e164(numberOf(country, space, n, 5))),
      );
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.filter((number) => parsePhoneNumberFromString(number)?.isValid() !== true)).toEqual([]);
    },
  );

  it('knows who really called: a matched number is written in that one person’s record', () => {
    const { world } = company({ contacts: 3_000 });
    const kinds = new Map<string, number>();
    for (let i = 0; i < world.calls.count; i++) {
      const call = world.calls.at(i);
      const truth = world.calls.truthAt(i);
      kinds.set(truth.kind, (kinds.get(truth.kind) ?? 0) + 1);
      if (truth.kind === 'matched')
        expect(holds(world, truth.contactId ?? truth.leadId!, call.externalNumber)).toBe(true);
    }
    expect([...kinds.keys()].toSorted()).toEqual(['internal', 'matched', 'shared-line', 'unknown']);
  });

  it('shows a commit to readers only after the read lag, and then as a whole', () => {
    const { world, clock } = company({ readLagMs: 300 });
    const id = recordId('Contact', 3);
    world.commit({ changes: [{ kind: 'update', object: 'Contact', id, values: { Title: 'New' } }] });
    expect(world.find(id, world.readable())?.get('Title')).not.toBe('New');
    clock.ms += 299;
    expect(world.find(id, world.readable())?.get('Title')).not.toBe('New');
    clock.ms += 1;
    expect(world.find(id, world.readable())?.get('Title')).toBe('New');
  });

  it('stamps a statement before its commit by up to the delay, in whole seconds, and never before the record’s last commit', () => {
    const { world, clock } = company({ commitDelayMs: 2_000 });
    const id = recordId('Contact', 3);
    let last = 0;
    for (let i = 0; i < 200; i++) {
      clock.ms += 90;
      const { commitMs, changes } = world.commit({
        changes: [{ kind: 'update', object: 'Contact', id, values: { Title: `T${i}` } }],
      });
      const stamp = Number(world.find(id)?.get('SystemModstamp'));
      expect(stamp % 1_000).toBe(0);
      expect(stamp).toBeGreaterThanOrEqual(Math.floor(last / 1_000) * 1_000);
      expect(commitMs - stamp).toBeLessThan(3_000);
      expect(changes[0]?.changed.Title).toBe(`T${i}`);
      last = commitMs;
    }
  });

  it('keeps what a pinned reader sees, whatever is committed meanwhile', () => {
    const { world, clock } = company();
    const id = recordId('Contact', 4);
    const before = world.find(id)!.record();
    const number = world.latest();
    const release = world.pin(number);
    for (let i = 0; i < 50; i++) {
      clock.ms += 60_000;
      world.commit({ changes: [{ kind: 'update', object: 'Contact', id, values: { Title: `T${i}` } }] });
    }
    expect(world.find(id, number)!.record()).toEqual(before);
    release();
  });

  it('refuses a transaction as a whole when one of its changes cannot be', () => {
    const { world } = company();
    const before = world.latest();
    const good = { kind: 'update', object: 'Contact', id: recordId('Contact', 1), values: { Title: 'X' } } as const;
    const bad = { kind: 'undelete', object: 'Contact', id: recordId('Contact', 2) } as const;
    expect(() => world.commit({ changes: [good, bad] })).toThrow(/cannot be given undelete/);
    expect(() => world.commit({ changes: [{ ...good, values: { Nonsense: 1 } }] })).toThrow(/no field Nonsense/);
    expect(world.latest()).toBe(before);
    expect(world.find(good.id)?.get('Title')).not.toBe('X');
  });

  it('rewrites all records at once without keeping them', () => {
    const { world } = company();
    const number = world.latest();
    const before = everything(world);
    world.rewriteAll('Contact');
    const cursor = world.tables.Contact.cursor();
    cursor.move(100, world.latest());
    const now = cursor.record();
    expect(now.SystemModstamp).toBeGreaterThan(EPOCH);
    cursor.move(100, number);
    expect(cursor.record()).not.toEqual(now);
    expect(world.tables.Contact.touched()).toEqual([]);
    expect(everything(company().world)).toEqual(before);
  });

  it('is as it was after its process ends, when a journal is kept', () => {
    const folder = mkdtempSync(join(tmpdir(), 'company-'));
    const file = join(folder, 'company.ndjson');
    const first = company();
    keepJournal(first.world, file);
    live(first.world, first.clock, 300);
    const second = company();
    second.clock.ms = first.clock.ms + 5_000;
    keepJournal(second.world, file);
    expect(everything(second.world)).toEqual(everything(first.world));
    expect(second.world.latest()).toBe(first.world.latest());
    expect(second.world.calls.count).toBe(first.world.calls.count);
    const stranger = company({ seed: 6 });
    keepJournal(stranger.world, file);
    expect(stranger.world.tables.Contact.touched()).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

/** Whether one of the record's telephone fields holds the number, however it is written. */
function holds(world: World, id: string, number: string): boolean {
  const record = world.find(id)!.record();
  const country = ({ '+1': 'US', '+44': 'GB', '+49': 'DE', '+33': 'FR' } as const)[
    /^\+(1|44|49|33)/.exec(number)![0] as '+1'
  ];
  return ['Phone', 'MobilePhone'].some(
    (field) => parsePhoneNumberFromString(String(record[field]), country)?.number === number,
  );
}
