/**
 * The list of calls (`GET /api/v2/call`): concluded calls only, newest start first, pages of the vendor's size joined by a
 * cursor. The one request this service sends, and the only one on its allow-list.
 */
import { InvalidMessage, Transient, Unauthorized } from '#core/errors.ts';
import type { Purpose, VendorResponse } from '#core/ports/vendor.ts';
import { allowList } from '#core/vendor/allow-list.ts';
import { tokenBudget } from '#core/vendor/budget.ts';
import { vendorClient, type VendorClient } from '#core/vendor/client.ts';
import { isRecord, readJson } from '#core/vendor/json.ts';
import type { DialpadContext } from './declared.ts';

const PATH = '/api/v2/call';
const TIMEOUT_MS = 30_000;

export interface CallQuery {
  /** Calls that started later than this. */
  readonly startedAfterMs: number | null;
  /** Calls that started earlier than this. */
  readonly startedBeforeMs: number | null;
  /** Where an earlier listing of the same query stopped. */
  readonly cursor: string | null;
}

export interface CallPage {
  /** As `parseExact` gives them. */
  readonly items: readonly unknown[];
  /** Null after the last page. */
  readonly cursor: string | null;
  /** When the request that succeeded was sent. */
  readonly issuedMicros: number;
}

export interface CallList {
  /**
   * Throws `InvalidMessage` with code `cursor_refused` when the vendor does not take the cursor any more, `Unauthorized`
   * when it does not take the key, `Transient` for all that may pass.
   */
  pages(query: CallQuery, purpose: Purpose, signal: AbortSignal): AsyncGenerator<CallPage>;
}

export function callList(context: DialpadContext): CallList {
  const { config } = context;
  const client = clientOf(context);
  return {
    async *pages(query, purpose, signal) {
      let { cursor } = query;
      do {
        const request = {
          instance: config['dialpad.companyId'],
          method: 'GET' as const,
          url: `${config['dialpad.baseUrl']}${PATH}${queryText({ ...query, cursor })}`,
          headers: { authorization: `Bearer ${config['dialpad.apiKey']}`, accept: 'application/json' },
          purpose,
          timeoutMs: TIMEOUT_MS,
          signal,
        };
        const hasCursor = cursor !== null;
        const page = await client.exchange(request, (response) => readPage(response, hasCursor));
        yield page;
        if (page.cursor !== null && page.cursor === cursor)
          throw new Transient('cursor_stands_still', 'Dialpad gave one cursor twice; the listing starts again later.');
        cursor = page.cursor;
      } while (cursor !== null);
    },
  };
}

function clientOf(context: DialpadContext): VendorClient {
  const { config, clock, random, telemetry, ports } = context;
  const perSecond = config['dialpad.requestsPerSecond'];
  const budget = tokenBudget(clock);
  budget.setRate({ capacity: perSecond, perSecond });
  const isMilliseconds = (value: string): boolean => /^\d{1,16}$/.test(value);
  const list = allowList({
    requests: [
      {
        origin: new URL(config['dialpad.baseUrl']).origin,
        method: 'GET',
        path: PATH,
        query: { cursor: (value) => value !== '', started_after: isMilliseconds, started_before: isMilliseconds },
      },
    ],
    rpcs: [],
    headers: ['authorization', 'accept'],
  });
  return vendorClient({ source: 'dialpad', port: ports.vendor, list, budget, telemetry, clock, random });
}

function queryText({ startedAfterMs, startedBeforeMs, cursor }: CallQuery): string {
  const parameters = new URLSearchParams();
  if (startedAfterMs !== null) parameters.set('started_after', String(startedAfterMs));
  if (startedBeforeMs !== null) parameters.set('started_before', String(startedBeforeMs));
  if (cursor !== null) parameters.set('cursor', cursor);
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

async function readPage(response: VendorResponse, hasCursor: boolean): Promise<CallPage> {
  const { status, issuedMicros } = response;
  if (status !== 200) {
    await response.body.cancel();
    throw refusal(status, hasCursor);
  }
  const json = await readJson(response);
  const items = isRecord(json) ? (json['items'] ?? []) : undefined;
  const cursor = isRecord(json) ? (json['cursor'] ?? null) : null;
  if (!Array.isArray(items) || (cursor !== null && typeof cursor !== 'string'))
    throw new Transient('dialpad_not_a_page', 'Dialpad answered the list of calls with something else than a page.');
  return { items: items as readonly unknown[], cursor: cursor === '' ? null : cursor, issuedMicros };
}

function refusal(status: number, hasCursor: boolean): Error {
  if (status === 401 || status === 403)
    return new Unauthorized(
      'dialpad_key_refused',
      `Dialpad answered ${status}: renew dialpad.apiKey, with scope calls:list.`,
    );
  if (hasCursor && status >= 400 && status < 500)
    return new InvalidMessage(
      'cursor_refused',
      `Dialpad answered ${status} to a cursor: the listing must start again.`,
    );
  return new Transient('dialpad_unexpected_status', `Dialpad answered ${status} to the list of calls.`);
}
