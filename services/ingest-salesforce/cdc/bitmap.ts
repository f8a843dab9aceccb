/**
 * The field lists of a change event's header: bitmaps over the fields of the event's own Avro schema. `0x…` is the top
 * level, `N-0x…` the record nested in field N; bit 0, right-most, is the first field (Pub/Sub API Guide, "Event
 * Deserialization Considerations"). Nested fields are named with a dot: `BillingAddress.City`.
 */
import { isRecord } from '#core/vendor/json.ts';

const ELEMENT = /^(?:(\d{1,4})-)?0x([0-9A-Fa-f]{1,1024})$/;

/** Names in schema order. What is no bitmap, or points past the schema, is left out: a list that is told is only a help. */
export function fieldsOf(bitmaps: readonly string[], schema: unknown): readonly string[] {
  const top = fieldsIn(schema);
  const names: string[] = [];
  for (const element of bitmaps) {
    const [, parent, hex = ''] = ELEMENT.exec(element) ?? [];
    if (parent === undefined) {
      names.push(...bits(hex).flatMap((bit) => top[bit]?.name ?? []));
      continue;
    }
    const field = top[Number(parent)];
    if (field === undefined) continue;
    const nested = fieldsIn(recordIn(field.type));
    names.push(...bits(hex).flatMap((bit) => (nested[bit] === undefined ? [] : `${field.name}.${nested[bit].name}`)));
  }
  return names;
}

function bits(hex: string): readonly number[] {
  const set: number[] = [];
  for (let at = 0; at < hex.length; at += 1) {
    const digit = Number.parseInt(hex[hex.length - 1 - at] ?? '0', 16);
    for (let bit = 0; bit < 4; bit += 1) if (digit & (1 << bit)) set.push(at * 4 + bit);
  }
  return set;
}

interface SchemaField {
  readonly name: string;
  readonly type: unknown;
}

function fieldsIn(schema: unknown): readonly SchemaField[] {
  return isRecord(schema) && Array.isArray(schema.fields) ? (schema.fields as readonly SchemaField[]) : [];
}

/** The record of `["null", {record}]`, in whatever order the union has. */
function recordIn(type: unknown): unknown {
  return Array.isArray(type) ? type.find((branch) => isRecord(branch) && branch.type === 'record') : type;
}
