/** Reads rows by a plan: values in the table's order, or what is wrong with the row. A bad row never harms another's reading. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { Change, Row } from '../store/appending.ts';
import { BadValue } from '../store/values.ts';
import { listOfValues, type FieldPlan, type MessagePlan, type RowPlan } from './plan.ts';
import { WITHOUT_SEQUENCE, sortable } from './sequence.ts';
import { Wire } from './wire.ts';

export interface BadRow {
  readonly index: number;
  readonly message: string;
}

export interface Decoded {
  readonly rows: readonly Row[];
  readonly bad: readonly BadRow[];
}

type Found = (DuckDBValue | undefined)[];

export function decodeRows(plan: RowPlan, keyPlaces: readonly number[], serialized: readonly Uint8Array[]): Decoded {
  const rows: Row[] = [];
  const bad: BadRow[] = [];
  for (let index = 0; index < serialized.length; index++) {
    try {
      rows.push(decodeRow(plan, keyPlaces, serialized[index]!));
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      bad.push({ index, message: error.message });
    }
  }
  return { rows, bad };
}

function decodeRow(plan: RowPlan, keyPlaces: readonly number[], bytes: Uint8Array): Row {
  const wire = new Wire(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const values = read(plan, wire);
  const change = changeOf(plan, values);
  if (change?.kind === 'DELETE') {
    const missing = keyPlaces.find((place) => values[place] === undefined);
    if (missing !== undefined) throw new BadValue('A DELETE must have a value for every column of the primary key');
  } else checkRequired(plan, values);
  return { values, change };
}

function read(plan: MessagePlan, wire: Wire): Found {
  const values: Found = new Array<DuckDBValue | undefined>(plan.places).fill(undefined);
  while (wire.at < wire.end) {
    const tag = wire.number();
    const wireType = tag & 7;
    const field = plan.fields[tag >>> 3];
    if (field === undefined) wire.skip(wireType);
    else readField(field, wire, wireType, values);
  }
  for (const field of plan.labelled) {
    if (values[field.place] === undefined) throw new BadValue(`Field ${field.name}: required field is missing`);
  }
  return values;
}

function readField(field: FieldPlan, wire: Wire, wireType: number, values: Found): void {
  const { scalar, place } = field;
  try {
    if (!field.isRepeated) {
      if (wireType !== (scalar === null ? 2 : scalar.wireType)) return wire.skip(wireType);
      values[place] = scalar === null ? readMessage(field.message!, wire) : field.convert(scalar.read(wire));
      return;
    }
    const list = (values[place] as { items: DuckDBValue[] } | undefined)?.items ?? [];
    if (scalar !== null && scalar.wireType !== 2 && wireType === 2) readPacked(field, wire, list);
    else list.push(scalar === null ? readMessage(field.message!, wire) : field.convert(scalar.read(wire)));
    values[place] = listOfValues(list);
  } catch (error) {
    if (error instanceof BadValue && !error.message.startsWith('Field '))
      throw new BadValue(`Field ${field.name}: ${error.message}`);
    throw error;
  }
}

function readPacked(field: FieldPlan, wire: Wire, list: DuckDBValue[]): void {
  const size = wire.number();
  const end = wire.take(size) + size;
  wire.at = end - size;
  while (wire.at < end) list.push(field.convert(field.scalar!.read(wire)));
}

function readMessage(plan: MessagePlan, wire: Wire): DuckDBValue {
  const inner = new Wire(wire.blob());
  const values = read(plan, inner);
  checkRequired(plan, values);
  return plan.finish(values);
}

function checkRequired(plan: MessagePlan, values: Found): void {
  for (const { name, place } of plan.required) {
    if (values[place] === undefined) throw new BadValue(`Field ${name}: required field is missing`);
  }
}

function changeOf(plan: RowPlan, values: Found): Change | null {
  if (plan.typePlace < 0) return null;
  const kind = values[plan.typePlace];
  const sequence = values[plan.sequencePlace];
  values.length = plan.typePlace;
  if (kind === undefined || kind === '') {
    if (sequence !== undefined && sequence !== '')
      throw new BadValue('_CHANGE_SEQUENCE_NUMBER is set without _CHANGE_TYPE');
    return null;
  }
  if (kind !== 'UPSERT' && kind !== 'DELETE')
    throw new BadValue(`Invalid _CHANGE_TYPE value: '${String(kind)}'. Only UPSERT and DELETE are accepted`);
  return { kind, sequence: sequence === undefined ? WITHOUT_SEQUENCE : sortable(sequence as string) };
}
