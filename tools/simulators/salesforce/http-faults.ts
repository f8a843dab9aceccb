/** HTTP faults applied to a request before, or to its reply while, it is served. */
import type { Request, Response } from 'express';
import type { HttpFault } from './faults.ts';
import { Refusal } from './refusal.ts';

/** Resolves when the request may go on; throws the refusal that a fault makes of it. False: it has been answered. */
export async function meet(fault: HttpFault, req: Request, res: Response): Promise<boolean> {
  switch (fault.kind) {
    case 'unavailable':
      throw new Refusal(503, 'SERVER_UNAVAILABLE', 'Service is temporarily unavailable. Please try again later.');
    case 'serverError':
      throw new Refusal(
        500,
        'UNKNOWN_EXCEPTION',
        'An unexpected error occurred. Please include this ErrorId if you contact support: 1-1 (1)',
      );
    case 'rateLimited':
      throw new Refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
    case 'concurrencyLimited':
      throw new Refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.');
    case 'expired':
      throw new Refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    case 'maintenance':
      res.status(503).type('html').send('<html><body>We are down for maintenance.</body></html>');
      return false;
    case 'signIn':
      res.status(200).type('html').send('<html><body>Sign in to go on.</body></html>');
      return false;
    case 'reset':
      req.socket.destroy();
      return false;
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return true;
    case 'cut':
    case 'truncate':
      shorten(res, fault.bytes, fault.kind === 'cut');
      return true;
  }
}

/** Lets only so many bytes through; then the connection breaks, or the reply ends as if it were whole. */
function shorten(res: Response, bytes: number, isCut: boolean): void {
  const write = res.write.bind(res) as (chunk: Buffer) => boolean;
  const end = res.end.bind(res) as () => Response;
  let left = bytes;
  const pass = (chunk: unknown): void => {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return;
    const data = Buffer.from(chunk as Uint8Array);
    res.removeHeader('Content-Length');
    if (left > 0) write(data.subarray(0, left));
    left -= data.length;
    if (left <= 0 && isCut) setTimeout(() => res.socket?.destroy(), 20);
    else if (left <= 0) end();
  };
  res.write = ((chunk: unknown) => {
    if (left > 0) pass(chunk);
    return left > 0;
  }) as typeof res.write;
  res.end = ((chunk: unknown) => {
    if (left > 0) pass(chunk);
    if (left > 0) end();
    return res;
  }) as typeof res.end;
}
