/** Access tokens. They begin with the org's id and an exclamation mark, as the service's do. */
import { randomBytes } from 'node:crypto';

export class Sessions {
  readonly #untilMs = new Map<string, number>();
  readonly #refreshTokens = new Set<string>();
  readonly #orgId: string;
  readonly #lifeMs: number;
  readonly #now: () => number;

  constructor(orgId: string, lifeMs: number | null, now: () => number) {
    this.#orgId = orgId;
    this.#lifeMs = lifeMs ?? Infinity;
    this.#now = now;
  }

  open(): string {
    const token = `${this.#orgId.slice(0, 15)}!AQ4A${randomBytes(48).toString('base64url')}`;
    this.#untilMs.set(token, this.#now() + this.#lifeMs);
    return token;
  }

  refreshToken(): string {
    const token = `5Aep${randomBytes(32).toString('base64url')}`;
    this.#refreshTokens.add(token);
    return token;
  }

  mayRefresh(token: string): boolean {
    return this.#refreshTokens.has(token);
  }

  isOpen(token: string): boolean {
    return (this.#untilMs.get(token) ?? 0) > this.#now();
  }

  /** `Authorization: Bearer …` or `OAuth …`. */
  isAuthorized(header: string | undefined): boolean {
    const match = /^(?:Bearer|OAuth) (\S+)$/i.exec(header ?? '');
    return match !== null && this.isOpen(match[1]!);
  }

  expireAll(): void {
    this.#untilMs.clear();
  }

  revoke(token: string): void {
    this.#untilMs.delete(token);
    this.#refreshTokens.delete(token);
  }
}
