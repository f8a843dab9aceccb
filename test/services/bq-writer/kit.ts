/** Messages of contacts and matches, and a warehouse in memory that can refuse, fail and be slow. */
import { Codec, type CanonicalEvent } from '#core/codec.ts';
import { keyText } from '#core/key.ts';
import type { Delivered, Lane } from '#core/ports/broker.ts';
import type { RefusedRow, Row, Table, WarehousePort } from '#core/ports/warehouse.ts';
import { supersedes, type Version } from '#core/version.ts';
import type { Contact } from '#schemas/generated/types.ts';

export const codec = new Codec();

export const CONTACT: Contact = {
  account_id: '001000000000001AAA',
  owner_id: null,
  first_name: 'Ada',
  last_name: 'Example',
  name: 'Ada Example',
  salutation: null,
  title: null,
  department: null,
  email: 'ada@northwind.example',
  email_valid: true,
  phone: '+12135550100',
  mobile_phone: null,
  home_phone: null,
  other_phone: null,
  phones: [
    {
      kind: 'phone',
      raw: '+12135550100',
      e164: '+12135550100',
      extension: null,
      country: 'US',
      reason: 'explicit',
      valid: true,
    },
  ],
  mailing_street: null,
  mailing_city: null,
  mailing_state: null,
  mailing_postal_code: null,
  mailing_country: null,
  lead_source: null,
  email_opt_out: null,
  merged_into: null,
  created_at: 1_700_000_000_000_000,
  modified_at: null,
  custom_fields: '{"Score__c":3}',
};

export function version(sourceSequence: number): Version {
  return { epoch: 0, sourceSequence, issuedMicros: sourceSequence, generation: 0 };
}

export interface ContactOptions {
  readonly id: string;
  readonly sequence?: number;
  readonly lane?: Lane;
  readonly record?: Contact | null;
  readonly changedAtMicros?: number | null;
}

export function contactEvent(options: ContactOptions): CanonicalEvent<'contact'> {
  const { id, sequence = 1, lane = 'live', record = CONTACT, changedAtMicros = null } = options;
  return {
    envelope: {
      source: 'salesforce',
      instance: '00D000000000001',
      object: 'Contact',
      id,
      operation: record === null ? 'delete' : 'upsert',
      version: version(sequence),
      lane,
      runId: null,
      observedAtMicros: 1_750_000_000_000_000,
      changedAtMicros,
      trace: `trace-${id}`,
      hint: null,
    },
    record,
  };
}

export function contactMessage(options: ContactOptions): Delivered {
  return delivered(codec.encodeCanonical('contact', contactEvent(options)));
}

export function delivered(message: { body: Uint8Array; attributes: Readonly<Record<string, string>> }): Delivered {
  return { ...message, messageId: '1', publishedAt: new Date(0), deliveryAttempts: 1 };
}

export interface MemoryWarehouse extends WarehousePort {
  readonly calls: { readonly table: string; readonly rows: readonly Row[] }[];
  readonly rows: Map<string, Row>;
  /** Decides each call: refusals by row, or throws. */
  refuse: (row: Row) => RefusedRow | undefined;
  before: (table: Table, rows: readonly Row[]) => Promise<void>;
}

export function memoryWarehouse(): MemoryWarehouse {
  const warehouse: MemoryWarehouse = {
    calls: [],
    rows: new Map(),
    refuse: () => undefined,
    before: async () => undefined,
    async upsert(table, rows) {
      await warehouse.before(table, rows);
      warehouse.calls.push({ table: table.name, rows });
      const keys = rows.map((row) => `${table.name}:${keyText(row.key)}`);
      if (new Set(keys).size !== keys.length) throw new Error('A key occurs twice in one upsert.');
      const refused: RefusedRow[] = [];
      rows.forEach((row, index) => {
        const refusal = warehouse.refuse(row);
        const key = keys[index] as string;
        if (refusal !== undefined) refused.push({ ...refusal, index });
        else if (supersedes(row.version, warehouse.rows.get(key)?.version)) warehouse.rows.set(key, row);
      });
      return refused;
    },
    plan: async () => [],
    apply: async () => undefined,
    async *query() {
      await warehouse.before({ name: 'probe', description: '', columns: [], partitionBy: null }, []);
      yield [{ one: 1 }];
    },
    async *liveIds() {
      yield [];
    },
  };
  return warehouse;
}
