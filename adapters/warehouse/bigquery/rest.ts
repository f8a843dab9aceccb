/** BigQuery's REST interface through Google's client: credentials and addresses are its, the shapes are the service's own. */
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import type { BigqueryOptions } from './options.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface RequestParts {
  readonly body?: Json;
  readonly query?: Readonly<Record<string, string>>;
}

export interface Rest {
  readonly client: BigQuery;
  /** Throws what the client throws: an error with the HTTP status as `code`. `uri` follows `/projects/<project>`. */
  request(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', uri: string, more?: RequestParts): Promise<Json>;
}

/** Longest silence of one request; a query that takes longer is asked for again. */
const TIMEOUT_MS = 30_000;

export function openRest({ projectId, location, simulator }: BigqueryOptions): Rest {
  const client = new BigQuery({
    projectId,
    location,
    ...(simulator === undefined ? {} : { apiEndpoint: simulator.restUrl, authClient: new PassThroughClient() }),
  });
  return {
    client,
    request: (method, uri, { body, query } = {}) =>
      new Promise((resolve, reject) => {
        const more = { ...(body === undefined ? {} : { json: body }), ...(query === undefined ? {} : { qs: query }) };
        client.request({ method, uri, timeout: TIMEOUT_MS, ...more }, (error: Error | null, answer: unknown) => {
          if (error !== null && error !== undefined) reject(error);
          else resolve((answer ?? {}) as Json);
        });
      }),
  };
}
