/** Several requests in one, which counts as one: each is carried out as if it came alone, and noted as such. */
import type { Express, Request, Response } from 'express';
import { randomUUID } from 'node:crypto';
import { jsonBody, versionOf } from '../http.ts';
import type { Org } from '../org.ts';
import { Refusal } from '../refusal.ts';

/** (REST API Guide, Composite: limits.) */
const MOST_PARTS = 25;
const MOST_QUERIES = 5;

interface Part {
  readonly method: string;
  readonly url: string;
  readonly referenceId?: string;
  readonly body?: unknown;
}

export function mountComposite(app: Express, org: Org): void {
  app.post('/services/data/:version/composite', (req, res, next) => void composite(org, req, res).catch(next));
  app.post('/services/data/:version/composite/batch', (req, res, next) => void batch(org, req, res).catch(next));
}

async function composite(org: Org, req: Request, res: Response): Promise<void> {
  versionOf(req);
  const { compositeRequest, allOrNone } = jsonBody(req);
  const parts = partsOf(compositeRequest);
  const ids = new Set(parts.map(({ referenceId }) => referenceId));
  if (ids.has(undefined) || ids.size !== parts.length)
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'Each subrequest needs a referenceId of its own.');
  const queries = parts.filter(({ url }) => /\/(query|queryAll|composite\/sobjects)\b/.test(url)).length;
  if (queries > MOST_QUERIES)
    throw new Refusal(
      400,
      'LIMIT_EXCEEDED',
      `The request can't contain more than ${MOST_QUERIES} query or collection operations.`,
    );
  const compositeResponse = [];
  for (const part of parts) {
    const { status, body } = await carryOut(org, req, part);
    compositeResponse.push({ body, httpHeaders: {}, httpStatusCode: status, referenceId: part.referenceId });
  }
  const failed = compositeResponse.some(({ httpStatusCode }) => httpStatusCode >= 400);
  const halted = { message: 'The transaction was rolled back since another operation in the same transaction failed.', errorCode: 'PROCESSING_HALTED' }; // prettier-ignore
  const parts400 = compositeResponse.map((part) => (part.httpStatusCode >= 400 ? part : { ...part, httpStatusCode: 400, body: [halted] })); // prettier-ignore
  res.json({ compositeResponse: failed && allOrNone === true ? parts400 : compositeResponse });
}

async function batch(org: Org, req: Request, res: Response): Promise<void> {
  const version = versionOf(req);
  const results = [];
  for (const part of partsOf(jsonBody(req).batchRequests)) {
    const url = part.url.startsWith('/') ? part.url : `/services/data/${part.url}`;
    const { status, body } = await carryOut(org, req, { ...part, url: url.startsWith('/services') ? url : `/services/data/${version}${url}` }); // prettier-ignore
    results.push({ statusCode: status, result: body });
  }
  res.json({ hasErrors: results.some(({ statusCode }) => statusCode >= 400), results });
}

function partsOf(value: unknown): readonly Part[] {
  const isPart = (part: unknown): part is Part => {
    const { method, url } = (part ?? {}) as Partial<Record<string, unknown>>;
    return typeof method === 'string' && typeof url === 'string';
  };
  if (!Array.isArray(value) || value.length === 0 || !value.every(isPart))
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'The subrequests must each have a method and a url.');
  if (value.length > MOST_PARTS)
    throw new Refusal(400, 'LIMIT_EXCEEDED', `The limit of ${MOST_PARTS} subrequests is exceeded.`);
  return value;
}

/** By the front door, marked so that it is not counted again. */
async function carryOut(
  org: Org,
  req: Request,
  { method, url, body }: Part,
): Promise<{ status: number; body: unknown }> {
  org.innerKey ??= randomUUID();
  const response = await fetch(org.instanceUrl + url.replaceAll(' ', '%20'), {
    method,
    headers: { authorization: req.get('Authorization') ?? '', 'x-simulator-inner': org.innerKey, connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}
