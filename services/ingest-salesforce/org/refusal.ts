/** What an error answer of the REST API means: its body is an array `[{message, errorCode}]` (REST API Guide, status codes). */
import { InvalidMessage, Transient, Unauthorized, type TributaryError } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';

const RATE_LIMITED = new Set(['REQUEST_LIMIT_EXCEEDED', 'CONCURRENT_REQUESTS_LIMIT_EXCEEDED']);
const PASSING = new Set(['SERVER_UNAVAILABLE', 'UNABLE_TO_LOCK_ROW', 'QUERY_TIMEOUT', 'UNKNOWN_EXCEPTION']);
const RATE_LIMIT_PAUSE_MS = 5_000;

export function errorCodeOf(answer: unknown): string {
  const first: unknown = Array.isArray(answer) ? answer[0] : answer;
  return isRecord(first) && typeof first.errorCode === 'string' ? first.errorCode : 'UNKNOWN';
}

/** The messages of the vendor may quote data: only its codes are told on. */
export function refusal(status: number, answer: unknown, what: string): TributaryError {
  const vendorCode = errorCodeOf(answer);
  const code = `salesforce_${vendorCode.toLowerCase().replaceAll(/\W/g, '_')}`;
  if (RATE_LIMITED.has(vendorCode))
    return new Transient(code, `Salesforce's request limit is reached; tried again later.`, {
      retryAfterMs: RATE_LIMIT_PAUSE_MS,
    });
  if (PASSING.has(vendorCode)) return new Transient(code, `Salesforce answered ${vendorCode}; tried again later.`);
  if (status === 401 || status === 403)
    return new Unauthorized(
      code,
      `Salesforce refused ${what} (${status}, ${vendorCode}): check the integration user's permissions.`,
    );
  return new InvalidMessage(code, `Salesforce refused ${what} (${status}, ${vendorCode}): the request must change.`);
}
