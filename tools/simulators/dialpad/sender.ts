/**
 * Sends call events to webhooks by the vendor's rules: 5 s for an answer; any 2xx is success; after a 5xx again after 2, 4
 * and 8 s; after a failed connection at most twice more, at once; after a 4xx, 429 included, never. With a secret the whole
 * body is a compact JWT, without one it is the JSON. Retries of one event do not hold up the next, so they overtake.
 */
import { CompactSign } from 'jose';
import type { Webhook } from './hooks.ts';

export interface SenderTiming {
  readonly timeoutMs: number;
  readonly serverErrorRetriesMs: readonly number[];
  readonly connectionRetriesMs: readonly number[];
}

export const VENDOR_TIMING: SenderTiming = {
  timeoutMs: 5_000,
  serverErrorRetriesMs: [2_000, 4_000, 8_000],
  connectionRetriesMs: [100, 200],
};

export interface Delivery {
  readonly callId: string;
  readonly state: string;
  readonly attempt: number;
  /** 0: no answer. */
  readonly status: number;
}

export interface SenderOptions {
  readonly timing: SenderTiming;
  readonly contentType: string;
  readonly onDelivery: (delivery: Delivery) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #stopped = new AbortController();
  #underWay = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Events not yet delivered or given up. */
  get underWay(): number {
    return this.#underWay;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Resolves when the event is delivered or given up; true if it was taken. */
  async send(
    webhook: Webhook,
    event: { readonly callId: string; readonly state: string; readonly text: string },
  ): Promise<boolean> {
    this.#underWay += 1;
    try {
      return await this.#attempts(webhook, event);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #attempts(
    webhook: Webhook,
    event: { readonly callId: string; readonly state: string; readonly text: string },
  ): Promise<boolean> {
    const body = await sign(event.text, webhook.secret);
    const left = {
      server: [...this.#options.timing.serverErrorRetriesMs],
      connection: [...this.#options.timing.connectionRetriesMs],
    };
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      const status = await this.#post(webhook.hookUrl, body);
      this.#options.onDelivery({ callId: event.callId, state: event.state, attempt, status });
      if (status >= 200 && status < 300) return true;
      if (status >= 300 && status < 500) return false;
      const waitMs = (status === 0 ? left.connection : left.server).shift();
      if (waitMs === undefined) return false;
      await this.#wait(waitMs);
    }
    return false;
  }

  async #post(url: string, body: string): Promise<number> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': this.#options.contentType },
        redirect: 'manual',
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.#options.timing.timeoutMs)]),
      });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      // No answer in time counts as the server's error, a refused or cut connection as the connection's.
      return error instanceof DOMException && error.name === 'TimeoutError' ? 504 : 0;
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopped.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

async function sign(text: string, secret: string | null): Promise<string> {
  if (secret === null) return text;
  const key = new TextEncoder().encode(secret);
  return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
}
