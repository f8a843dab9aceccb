/** The HTTP door: limits on a request's size, who is asking, what is counted, and refusals in the service's form. */
import express, {
  type ErrorRequestHandler,
  type Express,
  type NextFunction,
  type Request,
  type Response,
} from 'express';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { meet } from './http-faults.ts';
import type { Org } from './org.ts';
import { VERSIONS } from './options.ts';
import { notFound, Refusal } from './refusal.ts';

/** URI and headers together. (Salesforce help: URI and header length limits.) */
const LONGEST_HEAD = 16_384;

export function httpApp(org: Org, mount: (app: Express) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((req, res, next) => observe(org, req, res, next));
  app.use(express.text({ type: () => true, limit: '5mb' }));
  app.use((req, res, next) => void admit(org, req, res).then((isAdmitted) => (isAdmitted ? next() : undefined), next));
  mount(app);
  app.use(() => {
    throw notFound();
  });
  app.use(refuse);
  return app;
}

export async function listen(app: Express, port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 60_000 }, app);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function observe(org: Org, req: Request, res: Response, next: NextFunction): void {
  const { method, path } = req;
  res.once('close', () => org.traffic.record({ method, path, status: res.statusCode, atMs: org.world.now() }));
  next();
}

async function admit(org: Org, req: Request, res: Response): Promise<boolean> {
  const isInner = org.innerKey !== null && req.get('x-simulator-inner') === org.innerKey;
  if (isInner) return true;
  const fault = org.faults.http(req.method, req.originalUrl);
  const goesOn = fault === undefined || (await meet(fault, req, res));
  if (!goesOn) return false;
  const head = req.originalUrl.length + req.rawHeaders.join('').length;
  if (req.originalUrl.length > LONGEST_HEAD) throw new Refusal(414, 'URI_TOO_LONG', 'URI Too Long');
  if (head > LONGEST_HEAD) throw new Refusal(431, 'REQUEST_HEADER_FIELDS_TOO_LARGE', 'Request Header Fields Too Large');
  if (needsSession(req.path)) {
    if (!org.sessions.isAuthorized(req.headers.authorization))
      throw new Refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    count(org, res);
  }
  return true;
}

function needsSession(path: string): boolean {
  return /^\/(services\/data\/v|services\/async|services\/apexrest|services\/Soap|cometd|id\/)/.test(path);
}

function count({ usage }: Org, res: Response): void {
  if (usage.requests >= usage.dailyRequests)
    throw new Refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  usage.requests += 1;
  res.setHeader('Sforce-Limit-Info', `api-usage=${usage.requests}/${usage.dailyRequests}`);
}

/** The version a path names, as `v62.0`; refuses one the org does not have. */
export function versionOf(req: Request): string {
  const version = String(req.params.version);
  if (!VERSIONS.some((known) => version === `v${known}`)) throw notFound('The requested resource does not exist');
  return version;
}

export function bodyText(req: Request): string {
  return typeof req.body === 'string' ? req.body : '';
}

/** The JSON object a request carries. */
export function jsonBody(req: Request): Readonly<Record<string, unknown>> {
  try {
    const body = JSON.parse(bodyText(req)) as unknown;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Falls through to the refusal, which is the same.
  }
  throw new Refusal(400, 'JSON_PARSER_ERROR', 'The HTTP entity body is required, and must be a JSON object.');
}

export function sendJson(res: Response, text: string, status = 200): void {
  res.status(status).type('application/json;charset=UTF-8').send(text);
}

const refuse: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error);
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'UNKNOWN_EXCEPTION', String(error));
  res.status(refusal.status).type('application/json;charset=UTF-8').json(refusal.body);
};
