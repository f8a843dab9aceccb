import type { RequestHandler } from 'express';
import { Refusal, refuse } from './answers.ts';
import type { Faults } from './faults.ts';

/** Lets the next requests fail as the faults say, each count used up by one request. */
export function listFaults({ nextLists }: Faults): RequestHandler {
  return (_request, response, next) => {
    if (nextLists.unavailable > 0) {
      nextLists.unavailable -= 1;
      return refuse(response, new Refusal(503, 'backendError', 'Service unavailable.'));
    }
    if (nextLists.rateLimited > 0) {
      nextLists.rateLimited -= 1;
      return refuse(response, new Refusal(429, 'rateLimitExceeded', 'Rate limit exceeded.'));
    }
    if (nextLists.html > 0) {
      nextLists.html -= 1;
      return void response.type('html').send('<html><body>Sign in</body></html>');
    }
    if (nextLists.cut > 0) {
      nextLists.cut -= 1;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      return void response.write('{"items":[{"call_id":"', () => response.destroy());
    }
    next();
  };
}
