/** GoogleSQL's functions that DuckDB has under another name, with other arguments or another meaning. The rest pass as they are. */
import { invalidQuery } from '../refused.ts';

/** Arguments are translated already; a part of a date (`DAY`) comes as it was written. */
export type FunctionTranslator = (args: readonly string[], context: FunctionContext) => string;

export interface FunctionContext {
  /** The time the query began, as DuckDB's literal. */
  readonly now: string;
}

const renamed =
  (name: string): FunctionTranslator =>
  (args) =>
    `${name}(${args.join(', ')})`;
const unit = (text: string | undefined): string => {
  const name = (text ?? '').replaceAll('"', '').toUpperCase();
  if (/^WEEK(\(.*\))?$/.test(name)) return name === 'WEEK' ? 'week' : 'week';
  return name.toLowerCase();
};
const timestamp = (text: string) => `CAST(${text} AS TIMESTAMPTZ)`;
const shifted =
  (sign: '+' | '-'): FunctionTranslator =>
  ([value, interval]) =>
    `(${value} ${sign} ${interval})`;
/** A date shifted by an interval is a timestamp to DuckDB, a date to GoogleSQL. */
const shiftedDate =
  (sign: '+' | '-'): FunctionTranslator =>
  ([value, interval]) =>
    `CAST((${value} ${sign} ${interval}) AS DATE)`;
/** Whole units between two instants (DuckDB's `date_sub`); GoogleSQL names the later one first. */
const elapsed: FunctionTranslator = ([later, earlier, part]) => `date_sub('${unit(part)}', ${earlier}, ${later})`;
const boundaries: FunctionTranslator = ([later, earlier, part]) => `date_diff('${unit(part)}', ${earlier}, ${later})`;
/** GoogleSQL's weeks begin on Sunday, ISOWEEK's on Monday; DuckDB's `week` on Monday. */
const truncated =
  (asDate: boolean): FunctionTranslator =>
  ([value, part]) => {
    const name = unit(part);
    const cut =
      name === 'week' && !/MONDAY/i.test(part ?? '')
        ? `(date_trunc('week', ${value} + INTERVAL 1 DAY) - INTERVAL 1 DAY)`
        : `date_trunc('${name.replace('isoweek', 'week')}', ${value})`;
    return asDate ? `CAST(${cut} AS DATE)` : cut;
  };
const instantOf =
  (factor: string): FunctionTranslator =>
  ([value]) =>
    `make_timestamptz(CAST(${value} AS BIGINT) * ${factor})`;
const scalarJson: FunctionTranslator = ([json, path]) => {
  const at = path ?? "'$'";
  return `CASE WHEN json_type(${json}, ${at}) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(${json}, ${at}) END`;
};

export const FUNCTIONS: Readonly<Record<string, FunctionTranslator>> = {
  COUNTIF: renamed('count_if'),
  LOGICAL_OR: renamed('bool_or'),
  LOGICAL_AND: renamed('bool_and'),
  APPROX_COUNT_DISTINCT: renamed('approx_count_distinct'),
  IF: ([condition, yes, no]) => `CASE WHEN ${condition} THEN ${yes} ELSE ${no} END`,
  IFNULL: renamed('coalesce'),
  SAFE_DIVIDE: ([a, b]) => `(${a} / nullif(${b}, 0))`,
  IEEE_DIVIDE: ([a, b]) => `(CAST(${a} AS DOUBLE) / ${b})`,
  DIV: ([a, b]) => `(${a} // ${b})`,
  MOD: ([a, b]) => `(${a} % ${b})`,
  BYTE_LENGTH: ([value]) => `octet_length(CAST(${value} AS BLOB))`,
  CHAR_LENGTH: renamed('length'),
  STARTS_WITH: renamed('starts_with'),
  ENDS_WITH: renamed('ends_with'),
  REGEXP_CONTAINS: renamed('regexp_matches'),
  REGEXP_EXTRACT: ([value, pattern]) =>
    `nullif(regexp_extract(${value}, ${pattern}, CASE WHEN contains(${pattern}, '(') THEN 1 ELSE 0 END), '')`,
  REGEXP_REPLACE: ([value, pattern, by]) => `regexp_replace(${value}, ${pattern}, ${by}, 'g')`,
  SPLIT: ([value, by]) => `string_split(${value}, ${by ?? "','"})`,
  TO_HEX: ([value]) => `lower(to_hex(${value}))`,
  TO_BASE64: renamed('to_base64'),
  MD5: ([value]) => `unhex(md5(${value}))`,
  SHA256: ([value]) => `unhex(sha256(${value}))`,
  GENERATE_UUID: () => 'CAST(uuid() AS VARCHAR)',
  ARRAY_LENGTH: renamed('len'),
  ARRAY_CONCAT: renamed('list_concat'),
  ARRAY_REVERSE: renamed('list_reverse'),
  ARRAY_TO_STRING: renamed('array_to_string'),
  GENERATE_ARRAY: renamed('generate_series'),
  CURRENT_TIMESTAMP: (_, { now }) => now,
  CURRENT_DATE: (_, { now }) => `CAST(${now} AS DATE)`,
  CURRENT_DATETIME: (_, { now }) => `CAST(${now} AS TIMESTAMP)`,
  CURRENT_TIME: (_, { now }) => `CAST(${now} AS TIME)`,
  TIMESTAMP: ([value]) => timestamp(value ?? ''),
  DATE: ([a, b, c]) => (c === undefined ? `CAST(${a} AS DATE)` : `make_date(${a}, ${b}, ${c})`),
  DATETIME: ([value, ...rest]) =>
    rest.length === 0 ? `CAST(${value} AS TIMESTAMP)` : `make_timestamp(${[value, ...rest].join(', ')})`,
  TIME: ([value]) => `CAST(${value} AS TIME)`,
  TIMESTAMP_ADD: shifted('+'),
  TIMESTAMP_SUB: shifted('-'),
  DATETIME_ADD: shifted('+'),
  DATETIME_SUB: shifted('-'),
  DATE_ADD: shiftedDate('+'),
  DATE_SUB: shiftedDate('-'),
  TIMESTAMP_DIFF: elapsed,
  DATETIME_DIFF: boundaries,
  DATE_DIFF: boundaries,
  TIMESTAMP_TRUNC: truncated(false),
  DATETIME_TRUNC: truncated(false),
  DATE_TRUNC: truncated(true),
  UNIX_MICROS: renamed('epoch_us'),
  UNIX_MILLIS: renamed('epoch_ms'),
  UNIX_SECONDS: ([value]) => `(epoch_us(${value}) // 1000000)`,
  UNIX_DATE: ([value]) => `date_diff('day', DATE '1970-01-01', ${value})`,
  TIMESTAMP_MICROS: instantOf('1'),
  TIMESTAMP_MILLIS: instantOf('1000'),
  TIMESTAMP_SECONDS: instantOf('1000000'),
  FORMAT_TIMESTAMP: ([format, value]) => `strftime(${value}, ${formatOf(format)})`,
  FORMAT_DATETIME: ([format, value]) => `strftime(${value}, ${formatOf(format)})`,
  FORMAT_DATE: ([format, value]) => `strftime(${value}, ${formatOf(format)})`,
  PARSE_TIMESTAMP: ([format, value]) => timestamp(`strptime(${value}, ${formatOf(format)})`),
  PARSE_DATE: ([format, value]) => `CAST(strptime(${value}, ${formatOf(format)}) AS DATE)`,
  LAST_DAY: ([value]) => `last_day(${value})`,
  PARSE_JSON: ([value]) => `CAST(${value} AS JSON)`,
  TO_JSON: ([value]) => `to_json(${value})`,
  TO_JSON_STRING: ([value]) => `CAST(to_json(${value}) AS VARCHAR)`,
  JSON_VALUE: scalarJson,
  JSON_EXTRACT_SCALAR: scalarJson,
  JSON_QUERY: ([json, path]) => `json_extract(${json}, ${path ?? "'$'"})`,
  JSON_EXTRACT: ([json, path]) => `json_extract(${json}, ${path ?? "'$'"})`,
  JSON_QUERY_ARRAY: ([json, path]) => `CAST(json_extract(${json}, ${path ?? "'$'"}) AS JSON[])`,
  JSON_EXTRACT_ARRAY: ([json, path]) => `CAST(json_extract(${json}, ${path ?? "'$'"}) AS JSON[])`,
  JSON_VALUE_ARRAY: ([json, path]) => `CAST(json_extract(${json}, ${path ?? "'$'"}) AS VARCHAR[])`,
  JSON_TYPE: ([json]) => `lower(json_type(${json}))`,
  STRING: ([value]) => `json_extract_string(${value}, '$')`,
  INT64: ([value]) => `CAST(${value} AS BIGINT)`,
  FLOAT64: ([value]) => `CAST(${value} AS DOUBLE)`,
  BOOL: ([value]) => `CAST(${value} AS BOOLEAN)`,
  LAX_STRING: ([value]) => `json_extract_string(${value}, '$')`,
  LAX_INT64: ([value]) => `TRY_CAST(json_extract_string(${value}, '$') AS BIGINT)`,
  LAX_FLOAT64: ([value]) => `TRY_CAST(json_extract_string(${value}, '$') AS DOUBLE)`,
  LAX_BOOL: ([value]) => `TRY_CAST(json_extract_string(${value}, '$') AS BOOLEAN)`,
  ANY_VALUE: renamed('any_value'),
  FARM_FINGERPRINT: () => {
    throw invalidQuery('FARM_FINGERPRINT is not simulated');
  },
  ERROR: ([message]) => `error(${message})`,
  SESSION_USER: () => "'simulator@example.com'",
};

/** What DuckDB's strftime writes otherwise. */
function formatOf(format: string | undefined): string {
  return (format ?? "''")
    .replaceAll('%F', '%Y-%m-%d')
    .replaceAll('%T', '%H:%M:%S')
    .replaceAll('%E*S', '%S.%f')
    .replaceAll('%E6S', '%S.%f')
    .replaceAll('%E3S', '%S.%g')
    .replaceAll('%Ez', '%z');
}

/** Functions whose argument at this place is a part of a date, not a name. */
export const DATE_PARTS: Readonly<Record<string, number>> = {
  TIMESTAMP_DIFF: 2,
  DATETIME_DIFF: 2,
  DATE_DIFF: 2,
  TIME_DIFF: 2,
  TIMESTAMP_TRUNC: 1,
  DATETIME_TRUNC: 1,
  DATE_TRUNC: 1,
  LAST_DAY: 1,
};

/** DuckDB's own functions that no GoogleSQL knows and that must not be reachable. */
export function isForeign(name: string): boolean {
  return /^(read_|parquet_|glob$|duckdb_|pragma_|sniff_|getenv$|current_setting$|query$|query_table$|which_secret$|sqlite_|postgres_)/i.test(
    name,
  );
}
