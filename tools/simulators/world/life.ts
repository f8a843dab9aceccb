/** The company's life: seeded changes at a steady rate, of every kind a sales team makes. */
import { Edits } from './edits.ts';
import type { Change } from './commit.ts';
import { recordId, type ObjectName } from './ids.ts';
import { DEFAULT_MIX, type ChangeKind, type Mix } from './mix.ts';
import * as pools from './pools.ts';
import { Dice } from './random.ts';
import type { Patch } from './table.ts';
import type { World } from './world.ts';

const UPDATED: readonly ObjectName[] = [
  'Contact',
  'Contact',
  'Contact',
  'Contact',
  'Account',
  'Lead',
  'Opportunity',
  'Task',
  'Event',
  'User',
];
const CREATED: readonly ObjectName[] = ['Contact', 'Contact', 'Lead', 'Task', 'Event', 'Account', 'Opportunity'];
const ORIGIN = 'com/salesforce/api/rest/62.0;client=SalesforceUI';

export class Life {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #edits: Edits;
  readonly #mix: Mix;
  readonly #deleted: { readonly object: ObjectName; readonly id: string }[] = [];
  readonly #strangers: { readonly callId: string; readonly number: string }[] = [];

  constructor(world: World, seed: number, mix: Partial<Mix> = {}) {
    this.#world = world;
    this.#dice = new Dice(seed);
    this.#edits = new Edits(world, this.#dice);
    this.#mix = { ...DEFAULT_MIX, ...mix };
  }

  /** Makes one change; what cannot be done now (nothing is deleted that could come back) becomes an update. */
  step(): ChangeKind {
    this.#edits.made += 1;
    const kind = this.#draw();
    if (this.#make(kind)) return kind;
    this.#update(1);
    return 'update';
  }

  #draw(): ChangeKind {
    const entries = Object.entries(this.#mix) as [ChangeKind, number][];
    let left = this.#dice.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries[0]!)[0];
  }

  #make(kind: ChangeKind): boolean {
    switch (kind) {
      case 'update':
        return this.#update(1);
      case 'massUpdate':
        return this.#update(2 + this.#dice.below(4));
      case 'create':
        return this.#create(this.#dice.pick(CREATED), {});
      case 'delete':
        return this.#delete();
      case 'undelete':
        return this.#recover('undelete');
      case 'purge':
        return this.#recover('purge');
      case 'merge':
        return this.#merge();
      case 'convert':
        return this.#convert();
      case 'call':
        return this.#call();
      case 'callerBecomesContact':
        return this.#enterCaller();
    }
  }

  #commit(...changes: readonly Change[]): ReturnType<World['commit']> {
    const userId = recordId('User', this.#dice.below(Math.min(5, this.#world.shape.users)));
    return this.#world.commit({ changes, userId, origin: this.#dice.chance(0.5) ? ORIGIN : '' });
  }

  /** A record that is there, at random. */
  #someId(object: ObjectName, accept: (id: string) => boolean = () => true): string | undefined {
    const table = this.#world.tables[object];
    const cursor = table.cursor();
    for (let attempt = 0; attempt < 20; attempt++) {
      // A third of all changes concern recent records.
      const recent = table.size > table.baseCount && this.#dice.chance(0.3);
      const index = recent
        ? table.baseCount + this.#dice.below(table.size - table.baseCount)
        : this.#dice.below(table.size);
      if (cursor.move(index, this.#world.latest()) && !cursor.isDeleted && accept(cursor.id)) return cursor.id;
    }
    return undefined;
  }

  #update(count: number): boolean {
    const object = this.#dice.pick(UPDATED);
    const values = this.#edits.values(object, count > 1);
    const ids = new Set<string>();
    for (let i = 0; i < count; i++) ids.add(this.#someId(object) ?? recordId('User', 0));
    const changes = [...ids].filter((id) => id.startsWith(recordId(object, 0).slice(0, 3)));
    if (changes.length === 0) return false;
    this.#commit(...changes.map((id): Change => ({ kind: 'update', object, id, values })));
    return true;
  }

  #create(object: ObjectName, values: Patch): boolean {
    const account = this.#someId('Account') ?? null;
    const contact = this.#someId('Contact') ?? null;
    const own: Readonly<Record<ObjectName, Patch>> = {
      Account: { Name: this.#edits.company() },
      Contact: {
        LastName: this.#dice.pick(pools.LAST_NAMES),
        FirstName: this.#dice.pick(pools.FIRST_NAMES),
        AccountId: account,
      },
      Lead: {
        LastName: this.#dice.pick(pools.LAST_NAMES),
        Company: this.#edits.company(),
        Status: 'Open - Not Contacted',
      },
      Opportunity: {
        Name: `${this.#edits.company()} - New`,
        StageName: 'Prospecting',
        CloseDate: this.#edits.day(60),
        AccountId: account,
      },
      Task: { Subject: 'Call', Status: 'Not Started', Priority: 'Normal', WhoId: contact, AccountId: account },
      Event: { Subject: 'Demo', DurationInMinutes: 30, WhoId: contact, ActivityDate: this.#edits.day(7) },
      User: {},
    };
    this.#commit({
      kind: 'create',
      object,
      values: { ...own[object], ...this.#edits.values(object, false), ...values },
    });
    return true;
  }

  #delete(): boolean {
    const object = this.#dice.pick(['Contact', 'Contact', 'Lead', 'Task', 'Opportunity'] as const);
    const id = this.#someId(object);
    if (id === undefined) return false;
    this.#commit({ kind: 'delete', object, id });
    this.#deleted.push({ object, id });
    return true;
  }

  #recover(kind: 'undelete' | 'purge'): boolean {
    const [record] = this.#deleted.splice(this.#dice.below(Math.max(1, this.#deleted.length)), 1);
    if (record === undefined) return false;
    this.#commit({ kind, ...record });
    return true;
  }

  #merge(): boolean {
    const winner = this.#someId('Contact');
    const loser = this.#someId('Contact', (id) => id !== winner);
    if (winner === undefined || loser === undefined) return false;
    this.#commit(
      { kind: 'delete', object: 'Contact', id: loser, masterId: winner },
      { kind: 'update', object: 'Contact', id: winner, values: { Description: 'Merged.' } },
    );
    return true;
  }

  /** Account, contact, opportunity and lead in one transaction, in this order. (Change Data Capture: lead conversion.) */
  #convert(): boolean {
    const { tables } = this.#world;
    const id = this.#someId('Lead', (lead) => this.#world.find(lead)?.get('IsConverted') === false);
    const lead = id === undefined ? null : this.#world.find(id);
    if (id === undefined || lead === null) return false;
    const [account, contact, opportunity] = (['Account', 'Contact', 'Opportunity'] as const).map((name) => recordId(name, tables[name].size)) as [string, string, string]; // prettier-ignore
    const person = Object.fromEntries(
      ['LastName', 'FirstName', 'Phone', 'MobilePhone', 'Email', 'Title'].map((name) => [name, lead.get(name)]),
    );
    const Company = String(lead.get('Company'));
    this.#commit(
      { kind: 'create', object: 'Account', values: { Name: Company, Phone: lead.get('Phone') } },
      { kind: 'create', object: 'Contact', values: { ...person, AccountId: account } },
      {
        kind: 'create',
        object: 'Opportunity',
        values: {
          Name: `${Company} -`.slice(0, 120),
          StageName: 'Prospecting',
          CloseDate: this.#edits.day(90),
          AccountId: account,
        },
      },
      {
        kind: 'update',
        object: 'Lead',
        id,
        values: {
          Status: 'Closed - Converted',
          IsConverted: true,
          ConvertedDate: this.#edits.day(0),
          ConvertedAccountId: account,
          ConvertedContactId: contact,
          ConvertedOpportunityId: opportunity,
        },
      },
    );
    return true;
  }

  #call(): boolean {
    const call = this.#world.calls.place(1_000_000 + this.#edits.made * 7 + this.#dice.below(7));
    const isStranger = call.externalNumber.startsWith('+') && this.#world.calls.truthOf(call.id)?.kind === 'unknown';
    if (isStranger) this.#strangers.push({ callId: call.id, number: call.externalNumber });
    return true;
  }

  #enterCaller(): boolean {
    const stranger = this.#strangers.shift();
    if (stranger === undefined) return this.#call();
    const id = recordId('Contact', this.#world.tables.Contact.size);
    const AccountId = this.#someId('Account') ?? null;
    this.#create('Contact', { Phone: stranger.number, AccountId });
    this.#world.calls.identify(stranger.callId, id, AccountId);
    return true;
  }
}
