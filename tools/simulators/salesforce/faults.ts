/** What goes wrong on demand. HTTP faults hit the next requests whose path matches; the others hit the next change events. */
export const HTTP_FAULTS = ['unavailable', 'maintenance', 'serverError', 'rateLimited', 'concurrencyLimited', 'expired', 'cut', 'truncate', 'reset', 'slow'] as const; // prettier-ignore
export const EVENT_FAULTS = ['unknownSchema', 'undecodable', 'gap'] as const;

export type HttpFaultKind = (typeof HTTP_FAULTS)[number];
export type EventFaultKind = (typeof EVENT_FAULTS)[number];

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
  readonly #events = new Map<EventFaultKind, number>();

  add(fault: HttpFault): void {
    this.#http.push({ fault, skipped: 0, left: fault.times });
  }

  addEvents(kind: EventFaultKind, times: number): void {
    this.#events.set(kind, (this.#events.get(kind) ?? 0) + times);
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

  event(kind: EventFaultKind): boolean {
    const left = this.#events.get(kind) ?? 0;
    if (left > 0) this.#events.set(kind, left - 1);
    return left > 0;
  }

  clear(): void {
    this.#http = [];
    this.#events.clear();
  }

  get pending(): readonly { readonly kind: string; readonly left: number }[] {
    const http = this.#http.map(({ fault, left }) => ({ kind: fault.kind, left }));
    const events = [...this.#events].map(([kind, left]) => ({ kind, left }));
    return [...http, ...events].filter(({ left }) => left > 0);
  }
}
