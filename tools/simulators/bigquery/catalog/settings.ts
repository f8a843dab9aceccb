/** Properties of a table that can be set: what is checked, and what is only kept and given back. */
import { isJson, jsonOf, shown, textsOf, type Json } from '../json.ts';
import { invalid } from '../refused.ts';
import { fieldNamed, type Field } from './fields.ts';

/** Kept as given. What else a request carries (etag, id, times, …) is the service's own. */
const KEPT = [
  'description',
  'friendlyName',
  'labels',
  'timePartitioning',
  'rangePartitioning',
  'clustering',
  'expirationTime',
  'requirePartitionFilter',
  'maxStaleness',
  'defaultCollation',
  'resourceTags',
];
const MAX_KEY_COLUMNS = 16;
const MAX_CLUSTERING = 4;
const PARTITION_TYPES = ['DATE', 'TIMESTAMP', 'DATETIME'];
const CLUSTERING_TYPES = [
  'BIGNUMERIC',
  'BOOLEAN',
  'DATE',
  'DATETIME',
  'GEOGRAPHY',
  'INTEGER',
  'NUMERIC',
  'STRING',
  'TIMESTAMP',
];

/** The settings after a request: `null` unsets, a property that is missing stays. */
export function settingsAfter(old: Json, request: Json): Json {
  const settings: Record<string, unknown> = { ...old };
  for (const name of KEPT) {
    if (request[name] === null) delete settings[name];
    else if (request[name] !== undefined) settings[name] = request[name];
  }
  return settings;
}

export function checkSettings(settings: Json, fields: readonly Field[]): void {
  const { timePartitioning, clustering } = settings;
  if (isJson(timePartitioning)) checkPartitioning(timePartitioning, fields);
  if (!isJson(clustering)) return;
  const columns = textsOf(clustering.fields);
  if (columns.length === 0 || columns.length > MAX_CLUSTERING)
    throw invalid(`Clustering is supported on 1 to ${MAX_CLUSTERING} columns, not ${columns.length}.`);
  for (const name of columns) {
    const field = fieldNamed(fields, name);
    if (field === undefined)
      throw invalid(`The field specified for clustering cannot be found in the schema. Invalid field: ${name}.`);
    if (!CLUSTERING_TYPES.includes(field.type) || field.mode === 'REPEATED')
      throw invalid(`Clustering is not supported on column ${name} of type ${field.type}.`);
  }
}

function checkPartitioning(partitioning: Json, fields: readonly Field[]): void {
  const { type, field: name } = partitioning;
  if (!['DAY', 'HOUR', 'MONTH', 'YEAR'].includes(shown(type)))
    throw invalid(`Invalid value for timePartitioning.type: ${shown(type)}`);
  if (name === undefined) return;
  const field = fieldNamed(fields, shown(name));
  if (field === undefined)
    throw invalid(`The field specified for partitioning cannot be found in the schema. Invalid field: ${shown(name)}.`);
  if (!PARTITION_TYPES.includes(field.type) || field.mode === 'REPEATED')
    throw invalid(
      `The field specified for partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${field.type}.`,
    );
  if (field.type === 'DATE' && type === 'HOUR')
    throw invalid('Partitioning by hour is not supported for a column of type DATE.');
}

/** `tableConstraints.primaryKey.columns`; undefined where the request does not speak of constraints. */
export function primaryKeyOf(request: Json, fields: readonly Field[]): readonly string[] | undefined {
  if (request.tableConstraints === undefined) return undefined;
  if (request.tableConstraints === null) return [];
  const key = jsonOf(request.tableConstraints, 'tableConstraints').primaryKey;
  return key === undefined || key === null ? [] : checkedKey(textsOf(jsonOf(key, 'primaryKey').columns), fields);
}

export function checkedKey(columns: readonly string[], fields: readonly Field[]): readonly string[] {
  if (columns.length > MAX_KEY_COLUMNS)
    throw invalid(`A primary key has at most ${MAX_KEY_COLUMNS} columns, not ${columns.length}.`);
  return columns.map((name) => {
    const field = fieldNamed(fields, name);
    if (field === undefined) throw invalid(`Primary key column ${name} does not exist in the schema.`);
    if (field.mode === 'REPEATED' || field.type === 'RECORD' || field.type === 'JSON' || field.type === 'GEOGRAPHY')
      throw invalid(`Column ${name} of type ${field.type} cannot be in a primary key.`);
    return field.name;
  });
}

/** `maxStaleness` as an SQL interval, `Y-M D H:M:S`, in milliseconds; a month counts 30 days. */
export function stalenessMs(text: unknown): number {
  if (text === undefined || text === null) return 0;
  const match = /^(-?\d+)-(\d+) (-?\d+) (-?)(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(shown(text));
  if (match === null || match[4] === '-') throw invalid(`Invalid value for maxStaleness: ${shown(text)}`);
  const [years, months, days, , hours, minutes, seconds] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return ((((years * 12 + months) * 30 + days) * 24 + hours) * 3_600 + minutes * 60 + seconds) * 1_000;
}
