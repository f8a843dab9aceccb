/** What Google's statuses mean for whoever called. Messages leave out what the service said of rows, which may quote values. */
import {
  DependencyDown,
  InvalidMessage,
  messageOf,
  Misconfigured,
  TributaryError,
  Unauthorized,
} from '#core/errors.ts';

/** Of gRPC, as an answer carries it and as a call ends with it: https://grpc.io/docs/guides/status-codes/ */
export interface Status {
  readonly code?: number | null;
  readonly message?: string | null;
}

const GRPC = { invalidArgument: 3, notFound: 5, permissionDenied: 7, unauthenticated: 16 } as const;
/** SCHEMA_MISMATCH_EXTRA_FIELDS, in the words that the service has for it. */
const EXTRA_FIELDS = /extra|unknown field|schema mismatch|SCHEMA_MISMATCH/i;

/** An error of the Storage Write API, whether it came as an answer or as the end of the stream. */
export function appendError({ code, message }: Status, table: string, cause?: unknown): TributaryError {
  const options = { cause };
  if (code === GRPC.notFound) return tableMissing(table);
  if (code === GRPC.permissionDenied || code === GRPC.unauthenticated)
    // The service says so of a missing table too, to who may not see the dataset.
    return new Unauthorized(
      'warehouse_denied',
      `BigQuery denies writing to ${table}: grant the service bigquery.dataEditor on its dataset.`,
      options,
    );
  if (code === GRPC.invalidArgument && !EXTRA_FIELDS.test(message ?? ''))
    return new Misconfigured(
      'warehouse_refused',
      `BigQuery refuses what is written to ${table} as a whole: run «tributary warehouse plan».`,
      options,
    );
  // A new column reaches the write service minutes after the table: until then the rows wait.
  return new DependencyDown(
    'warehouse',
    `BigQuery does not take rows for ${table} now (status ${code ?? 'unknown'}): it is tried again.`,
    options,
  );
}

/** An error of `insertAll`. What the service says of rows may quote them, and is left out. */
export function insertError(error: unknown, table: string): TributaryError {
  if (error instanceof TributaryError) return error;
  const status = statusOf(error);
  if (status === 404) return tableMissing(table);
  if (status === 400)
    return new Misconfigured(
      'warehouse_refused',
      `BigQuery refuses what is written to ${table} as a whole: run «tributary warehouse plan».`,
    );
  return restError(error, `to write rows of ${table}`);
}

export function tableMissing(table: string): Misconfigured {
  return new Misconfigured('table_not_applied', `There is no table ${table} yet: run «tributary warehouse apply».`);
}

/** https://cloud.google.com/bigquery/docs/error-messages */
const QUOTA = /rateLimitExceeded|quotaExceeded|backendError|jobRateLimitExceeded/;

/** An error of a REST request that changes or reads what is stored. */
export function restError(error: unknown, what: string): TributaryError {
  if (error instanceof TributaryError) return error;
  const options = { cause: error };
  const status = statusOf(error);
  // Of quotas too the service says "forbidden": these pass.
  if (status === 401 || (status === 403 && !QUOTA.test(reasonsOf(error))))
    return new Unauthorized('warehouse_denied', `BigQuery denies ${what}: grant the service its role.`, options);
  if (status === 400 || status === 404 || status === 409)
    return new Misconfigured('schema_invalid', `BigQuery refuses ${what}: ${firstLines(error)}`, options);
  return new DependencyDown('warehouse', `BigQuery does not answer (${what}): it is tried again.`, options);
}

/** An error of a query that a person wrote. */
export function queryError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  const status = statusOf(error);
  if (status === 400 || status === 404) return new InvalidMessage('invalid_query', firstLines(error), { cause: error });
  return restError(error, 'the query');
}

export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
  const found = typeof code === 'number' ? code : typeof code === 'string' ? Number(code) : status;
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

function reasonsOf(error: unknown): string {
  const { errors } = error as { readonly errors?: readonly { readonly reason?: string }[] };
  return (errors ?? []).map(({ reason }) => reason ?? '').join();
}

function firstLines(error: unknown): string {
  return messageOf(error).slice(0, 1_000);
}
