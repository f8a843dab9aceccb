/** Rows of a query's answer (`schema`, and rows of cells `{f: [{v}]}`) as plain values, the same as other warehouses give. */
import type { QueryRow } from '#core/ports/warehouse.ts';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly fields?: readonly Field[];
}

interface Cell {
  readonly v: unknown;
}

/** Reads pages of one answer: only the first page has the schema. */
export function rowReader(schema: unknown): (rows: unknown) => readonly QueryRow[] {
  const { fields = [] } = (schema ?? {}) as { readonly fields?: readonly Field[] };
  return (rows) => ((rows ?? []) as readonly { readonly f: readonly Cell[] }[]).map(({ f }) => record(fields, f));
}

function record(fields: readonly Field[], cells: readonly Cell[]): QueryRow {
  return Object.fromEntries(fields.map((field, at) => [field.name, valueOf(field, cells[at]?.v ?? null)]));
}

function valueOf(field: Field, value: unknown): unknown {
  if (field.mode === 'REPEATED')
    return ((value ?? []) as readonly Cell[]).map(({ v }) => valueOf({ ...field, mode: 'NULLABLE' }, v));
  if (value === null || value === undefined) return null;
  if (field.type === 'RECORD' || field.type === 'STRUCT')
    return record(field.fields ?? [], (value as { readonly f: readonly Cell[] }).f);
  return scalar(field.type, value as string | boolean);
}

function scalar(type: string, value: string | boolean): unknown {
  switch (type) {
    case 'INTEGER':
    case 'INT64':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'FLOAT':
    case 'FLOAT64':
      return Number.isFinite(Number(value)) ? Number(value) : String(value);
    case 'BOOLEAN':
    case 'BOOL':
      return value === 'true' || value === true;
    case 'TIMESTAMP':
      return instant(BigInt(String(value)));
    default:
      return String(value);
  }
}

/** `2026-01-05T09:00:00.000001Z`. */
function instant(micros: bigint): string {
  const ms = micros >= 0n ? micros / 1_000n : (micros - 999n) / 1_000n;
  const rest = (micros - ms * 1_000n).toString().padStart(3, '0');
  return new Date(Number(ms)).toISOString().replace('Z', `${rest}Z`);
}
