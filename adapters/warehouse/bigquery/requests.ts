/** Encoded rows in requests under the limit, and what is said of rows that no request takes. */
import type { RefusedRow } from '#core/ports/warehouse.ts';

export interface Encoded {
  /** In the batch. */
  readonly index: number;
  readonly bytes: Buffer;
}

/** The service takes less than 10 MB a request; this leaves room for its frame. */
export const REQUEST_BYTES = 9_000_000;
/** Each row costs its tag and length in the request. */
const ROW_OVERHEAD_BYTES = 6;

export function split(rows: readonly Encoded[]): {
  readonly requests: readonly (readonly Encoded[])[];
  readonly oversize: readonly Encoded[];
} {
  const requests: Encoded[][] = [];
  const oversize: Encoded[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const cost = row.bytes.length + ROW_OVERHEAD_BYTES;
    if (cost > REQUEST_BYTES) {
      oversize.push(row);
      continue;
    }
    if (bytes + cost > REQUEST_BYTES) {
      requests.push([]);
      bytes = 0;
    }
    (requests.at(-1) as Encoded[]).push(row);
    bytes += cost;
  }
  return { requests, oversize };
}

export function tooLarge({ index, bytes }: { readonly index: number; readonly bytes: { length: number } }): RefusedRow {
  return {
    index,
    code: 'row_oversize',
    reason: `The row has ${bytes.length} bytes, and BigQuery takes ${REQUEST_BYTES} at most.`,
  };
}

export function refusedByService({ index }: { readonly index: number }): RefusedRow {
  return { index, code: 'row_refused', reason: 'BigQuery refused the row: its values do not fit the table.' };
}
