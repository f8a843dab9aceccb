/** What goes wrong on demand. HTTP faults hit the next requests whose path matches. */
export const HTTP_FAULTS = ['unavailable', 'maintenance', 'signIn', 'serverError', 'rateLimited', 'concurrencyLimited', 'expired', 'cut', 'truncate', 'reset', 'slow'] as const; // prettier-ignore
export type HttpFaultKind = (typeof HTTP_FAULTS)[number];

export interface HttpFault {
  readonly kind: HttpFaultKind;
  /** Matched against method, path and query: `GET /services/data/…`. */
  readonly pattern: RegExp;
  /** Matching requests that are let through first. */
  readonly skip: number;
  readonly times: number;
  /** For `cut` and `truncate`: bytes that get through. */
  readonly bytes: number;
  /** For `slow`. */
  readonly ms: number;
}

export class Faults {
  #http: { readonly fault: HttpFault; skipped: number; left: number }[] = [];

  add(fault: HttpFault): void {
    this.#http.push({ fault, skipped: 0, left: fault.times });
  }

  /** The fault this request meets; it counts as used. */
  http(method: string, url: string): HttpFault | undefined {
    for (const entry of this.#http) {
      if (entry.left === 0 || !entry.fault.pattern.test(`${method} ${url}`)) continue;
      if (entry.skipped < entry.fault.skip) {
        entry.skipped += 1;
        continue;
      }
      entry.left -= 1;
      return entry.fault;
    }
    return undefined;
  }

  clear(): void {
    this.#http = [];
  }

  get pending(): readonly { readonly kind: string; readonly left: number }[] {
    return this.#http.map(({ fault, left }) => ({ kind: fault.kind, left })).filter(({ left }) => left > 0);
  }
}
