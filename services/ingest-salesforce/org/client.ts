/**
 * Requests to the org with a token: an expired one is renewed and the request sent once more. Error answers are thrown as
 * errors that say who must act.
 */
import { Unauthorized } from '#core/errors.ts';
import type { Purpose, VendorRequest, VendorResponse } from '#core/ports/vendor.ts';
import type { VendorClient } from '#core/vendor/client.ts';
import { readJson } from '#core/vendor/json.ts';
import { refusal } from './refusal.ts';
import type { Session } from './session.ts';

export interface OrgRequest {
  readonly method?: 'GET' | 'POST';
  /** Below the instance URL, e.g. `/services/data/v62.0/limits`, or from `data()`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** An answer, and when the request that got it was sent. */
export interface Read<T> {
  readonly value: T;
  readonly issuedMicros: number;
}

export interface OrgClient {
  /** Path of a resource of the configured API version: `data('limits')`. */
  data(resource: string): string;
  /**
   * `parse` is part of the attempt: `Transient` thrown there (an incomplete answer) has the request sent again. Throws what
   * `refusal` makes of an error answer, `Transient` when retries are used up, `Unauthorized` without a token.
   */
  json<T>(request: OrgRequest, parse: (value: unknown) => T): Promise<Read<T>>;
  /** Like `json`, for a body that is read as a stream; `read` is called again if the body was cut. */
  stream<T>(request: OrgRequest, read: (response: VendorResponse) => Promise<T>): Promise<T>;
  orgId(): Promise<string>;
}

export interface OrgClientOptions {
  readonly client: VendorClient;
  readonly session: Session;
  readonly instanceUrl: string;
  readonly apiVersion: string;
  readonly compress: boolean;
}

const TIMEOUT_MS = 60_000;
const ENCODER = new TextEncoder();
/** Thrown inside an exchange to leave it: a 401 is no business of the retry there. */
const EXPIRED = Symbol('expired');

export function orgClient({ client, session, instanceUrl, apiVersion, compress }: OrgClientOptions): OrgClient {
  function vendorRequest(request: OrgRequest, accessToken: string): VendorRequest {
    const query = request.query === undefined ? '' : `?${new URLSearchParams(request.query).toString()}`;
    return {
      instance: new URL(instanceUrl).host,
      method: request.method ?? 'GET',
      url: `${instanceUrl}${request.path}${query}`,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: request.accept ?? 'application/json',
        'accept-encoding': compress ? 'gzip' : 'identity',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: ENCODER.encode(JSON.stringify(request.body)) }),
      purpose: request.purpose,
      timeoutMs: request.timeoutMs ?? TIMEOUT_MS,
      signal: request.signal,
    };
  }

  async function stream<T>(request: OrgRequest, read: (response: VendorResponse) => Promise<T>): Promise<T> {
    for (let renewed = false; ; renewed = true) {
      const token = await session.token();
      const answer = await client.exchange<T | typeof EXPIRED>(
        vendorRequest(request, token.accessToken),
        async (response) => {
          if (response.status === 401) {
            await response.body.cancel();
            return EXPIRED;
          }
          if (response.status < 200 || response.status >= 300)
            throw refusal(
              response.status,
              await readJson(response, 1024 * 1024),
              `${request.method ?? 'GET'} ${kindOf(request)}`,
            );
          return read(response);
        },
      );
      if (answer !== EXPIRED) return answer;
      if (renewed)
        throw new Unauthorized('unauthorized', 'Salesforce refuses a token that it has just issued: check the app.');
      await session.renew(token);
    }
  }

  return {
    data: (resource) => `/services/data/v${apiVersion}/${resource}`,
    stream,
    json: (request, parse) =>
      stream(request, async (response) => ({
        value: parse(await readJson(response)),
        issuedMicros: response.issuedMicros,
      })),
    orgId: async () => (await session.token()).orgId,
  };
}

/** The resource without ids, for messages. */
function kindOf({ path }: OrgRequest): string {
  return path.split('/').slice(4, 6).join('/');
}
