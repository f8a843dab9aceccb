/**
 * Errors by who must act. Each has a stable `code` (low cardinality, used in metrics and documentation) and a message
 * that says what to do. Expected outcomes are values (`Disposition`), not errors.
 */
export abstract class TributaryError extends Error {
  abstract readonly actor: 'us, later' | 'the sender' | 'the operator' | 'the deployer' | 'nobody';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Nobody needs to act: the same work, later, will succeed. `retryAfterMs` is what the other side asked for. */
export class Transient extends TributaryError {
  readonly actor = 'us, later';
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number }) {
    super(code, message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/**
 * A dependency of the whole service is down (warehouse, broker, vendor). Thrown out of a handler it makes the runtime
 * pause the service, release all messages, and resume after a probe succeeds.
 */
export class DependencyDown extends TributaryError {
  readonly actor = 'us, later';
  readonly dependency: string;

  constructor(dependency: string, message: string, options?: ErrorOptions) {
    super('dependency_down', message, options);
    this.dependency = dependency;
  }
}

/** The sender must send something else: this message will never be processed as it is. */
export class InvalidMessage extends TributaryError {
  readonly actor = 'the sender';
}

/** The operator must renew or grant something: credentials revoked, permission missing. Retrying makes it worse. */
export class Unauthorized extends TributaryError {
  readonly actor = 'the operator';
}

/** The deployer must change the configuration: refuse to start. */
export class Misconfigured extends TributaryError {
  readonly actor = 'the deployer';
}

/** Somebody newer holds the lease or wrote the checkpoint: stop quietly. */
export class Stale extends TributaryError {
  readonly actor = 'nobody';
}

/** The message of anything thrown, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of anything thrown. */
export function codeOf(error: unknown): string {
  return error instanceof TributaryError ? error.code : 'unexpected';
}
