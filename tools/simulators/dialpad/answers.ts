/** Errors as the vendor words them, access by API key, and rates by endpoint and minute. */
import type { NextFunction, Request, RequestHandler, Response } from 'express';

export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export function badRequest(message: string): Refusal {
  return new Refusal(400, 'badRequest', message);
}

export function notFound(message: string): Refusal {
  return new Refusal(404, 'notFound', message);
}

export function refuse(response: Response, { status, reason, message }: Refusal): void {
  response.status(status).json({ error: { code: status, errors: [{ domain: 'global', message, reason }], message } });
}

/** `Authorization: Bearer <key>`, or `apikey` in the URL. Several keys: an old one and a new one. */
export function access(keys: () => readonly string[]): RequestHandler {
  return (request, response, next) => {
    const bearer = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const inUrl = request.query['apikey'];
    const given = bearer ?? (typeof inUrl === 'string' ? inUrl : undefined);
    if (given !== undefined && keys().includes(given)) return next();
    refuse(response, new Refusal(401, 'unauthorized', 'Invalid API key.'));
  };
}

/** A sliding minute. `minuteMs` shortens it for tests. */
export function rate(perMinute: number, now: () => number, minuteMs: number): RequestHandler {
  let sent: number[] = [];
  return (_request, response, next) => {
    const time = now();
    sent = sent.filter((ms) => ms > time - minuteMs);
    if (sent.length >= perMinute)
      return refuse(response, new Refusal(429, 'rateLimitExceeded', 'Rate limit exceeded.'));
    sent.push(time);
    next();
  };
}

/** The last handler: a `Refusal` thrown by any other becomes the answer. */
export function refusals(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error);
  if (error instanceof Refusal) return refuse(response, error);
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  refuse(
    response,
    new Refusal(status, status < 500 ? 'badRequest' : 'internalError', 'The request could not be read.'),
  );
}

/** One decimal int64 of a query, or null if it is not given. */
export function integerParameter(request: Request, name: string): string | null {
  const value = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value))
    throw badRequest(`Invalid value for ${name}: an integer is expected.`);
  return value;
}

export function textParameter(request: Request, name: string): string | null {
  const value = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw badRequest(`${name} may be given once.`);
  return value;
}
