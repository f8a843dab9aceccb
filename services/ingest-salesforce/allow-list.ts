/**
 * All that may be sent to Salesforce: tokens, describe, limits, queries, reads by id, deletions, Bulk query jobs, and
 * three RPCs of the Pub/Sub API. Its dangerous neighbours look alike, each a test: `POST /composite/sobjects` writes where
 * `POST /composite/sobjects/Contact` reads, `POST /composite` does whatever it carries, `GET /apexrest` may do anything,
 * `FOR VIEW` changes the record it reads, `_HttpMethod` turns a POST into a PATCH.
 */
import { allowList, type AllowedRequest, type AllowList } from '#core/vendor/allow-list.ts';
import { isRecord } from '#core/vendor/json.ts';
import { OBJECTS } from './objects.ts';

export const RPC = {
  getTopic: '/eventbus.v1.PubSub/GetTopic',
  getSchema: '/eventbus.v1.PubSub/GetSchema',
  subscribe: '/eventbus.v1.PubSub/Subscribe',
} as const;

const PARAMETERS = {
  version: /v\d{2,3}\.0/,
  object: new RegExp(`(?:${OBJECTS.join('|')})`),
  job: /[A-Za-z0-9]{15,18}/,
  cursor: /[A-Za-z0-9_\-.]{1,200}/,
} as const;

export interface AllowedPlaces {
  readonly instanceUrl: string;
  readonly loginUrl: string;
  readonly grpcEndpoint: string;
}

export function salesforceAllowList({ instanceUrl, loginUrl, grpcEndpoint }: AllowedPlaces): AllowList {
  const login = new URL(loginUrl).origin;
  const org = new URL(instanceUrl).origin;
  const data = '/services/data/{version}';
  const at = (request: Omit<AllowedRequest, 'origin' | 'parameters'>): AllowedRequest => ({
    origin: org,
    parameters: PARAMETERS,
    ...request,
  });
  return allowList({
    headers: ['authorization', 'accept', 'accept-encoding', 'content-type', 'sforce-query-options'],
    rpcs: Object.values(RPC).map((rpc) => ({ endpoint: grpcEndpoint, rpc })),
    requests: [
      { origin: login, method: 'POST', path: '/services/oauth2/token', body: isTokenRequest },
      at({ method: 'GET', path: `${data}/limits` }),
      at({ method: 'GET', path: `${data}/sobjects/{object}/describe` }),
      at({ method: 'GET', path: `${data}/sobjects/{object}/deleted`, query: { start: isInstant, end: isInstant } }),
      at({ method: 'GET', path: `${data}/sobjects/{object}/deleted/`, query: { start: isInstant, end: isInstant } }),
      at({ method: 'GET', path: `${data}/query`, query: { q: isReadOnlySoql } }),
      at({ method: 'GET', path: `${data}/queryAll`, query: { q: isReadOnlySoql } }),
      at({ method: 'GET', path: `${data}/query/{cursor}` }),
      at({ method: 'GET', path: `${data}/queryAll/{cursor}` }),
      at({ method: 'POST', path: `${data}/composite/sobjects/{object}`, body: isRetrieve }),
      at({ method: 'POST', path: `${data}/composite`, body: isCompositeOfQueries }),
      at({ method: 'POST', path: `${data}/jobs/query`, body: isQueryJob }),
      at({ method: 'GET', path: `${data}/jobs/query/{job}` }),
      at({
        method: 'GET',
        path: `${data}/jobs/query/{job}/results`,
        query: { locator: isToken, maxRecords: (value) => /^\d{1,9}$/.test(value) },
      }),
      at({ method: 'GET', path: `${data}/jobs/query/{job}/resultPages`, query: PAGE_QUERY }),
    ],
  });
}

const PAGE_QUERY = { nextRecordsUrl: isToken, locator: isToken, cursor: isToken, page: isToken };

function isToken(value: string): boolean {
  return /^[A-Za-z0-9_\-.=+/:]{1,500}$/.test(value);
}

function isInstant(value: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|\+00:00)$/.test(value);
}

const WRITING_CLAUSE = /\b(?:FOR\s+(?:UPDATE|VIEW|REFERENCE)|UPDATE\s+(?:TRACKING|VIEWSTAT))\b/i;

/** SOQL itself reads; only some clauses lock rows, or note that they were viewed. Quoted text is no clause. */
export function isReadOnlySoql(soql: string): boolean {
  const bare = soql.replaceAll(/'(?:[^'\\]|\\.)*'/g, "''");
  return /^\s*SELECT\s/i.test(bare) && !WRITING_CLAUSE.test(bare);
}

function isQueryJob(text: string): boolean {
  const body = jsonOf(text);
  return (
    hasOnly(body, ['operation', 'query', 'contentType', 'columnDelimiter', 'lineEnding']) &&
    (body.operation === 'query' || body.operation === 'queryAll') &&
    typeof body.query === 'string' &&
    isReadOnlySoql(body.query)
  );
}

function isRetrieve(text: string): boolean {
  const body = jsonOf(text);
  return hasOnly(body, ['ids', 'fields']) && isTexts(body.ids) && isTexts(body.fields);
}

/** A composite does what its parts do: each must be a query, and nothing but that. */
function isCompositeOfQueries(text: string): boolean {
  const body = jsonOf(text);
  return (
    hasOnly(body, ['allOrNone', 'compositeRequest']) &&
    body.allOrNone === false &&
    Array.isArray(body.compositeRequest) &&
    body.compositeRequest.length > 0 &&
    body.compositeRequest.every(isQueryPart)
  );
}

function isQueryPart(part: unknown): boolean {
  if (!hasOnly(part, ['method', 'url', 'referenceId']) || part.method !== 'GET' || typeof part.url !== 'string')
    return false;
  if (!/^\/services\/data\/v\d{2,3}\.0\/queryAll\?q=[^&#@]+$/.test(part.url)) return false;
  return isReadOnlySoql(new URLSearchParams(part.url.slice(part.url.indexOf('?') + 1)).get('q') ?? '');
}

const GRANTS = ['client_credentials', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
const TOKEN_PARAMETERS = new Set(['grant_type', 'client_id', 'client_secret', 'refresh_token', 'assertion']);

function isTokenRequest(text: string): boolean {
  const form = new URLSearchParams(text);
  return GRANTS.includes(form.get('grant_type') ?? '') && [...form.keys()].every((name) => TOKEN_PARAMETERS.has(name));
}

function hasOnly(body: unknown, names: readonly string[]): body is Readonly<Record<string, unknown>> {
  return isRecord(body) && Object.keys(body).every((name) => names.includes(name));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
