/** All that was asked of the vendor, so that a test can prove what was never asked. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly atMs: number;
}

/** A call that would change something. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'GRPC']);
const READING_POSTS = [
  /^\/services\/oauth2\/(token|introspect|userinfo)$/,
  /^\/services\/data\/v[\d.]+\/composite\/sobjects\/\w+$/,
  /^\/services\/data\/v[\d.]+\/jobs\/query$/,
  // Its parts are noted each by itself.
  /^\/services\/data\/v[\d.]+\/composite(\/batch)?$/,
];
/** Aborting and deleting one's own query job changes no record. */
const OWN_JOB = /^\/services\/data\/v[\d.]+\/jobs\/query\/\w+$/;
const KEPT = 20_000;

export function isMutating(method: string, path: string): boolean {
  if (READS.has(method)) return method === 'GRPC' && /\/Publish(Stream)?$/.test(path);
  if (method === 'POST') return !READING_POSTS.some((pattern) => pattern.test(path));
  return !OWN_JOB.test(path);
}

export class Traffic {
  readonly #counts = new Map<string, number>();
  readonly #mutating: Call[] = [];
  readonly #last: Call[] = [];

  record(call: Call): void {
    const key = `${call.method} ${template(call.path)}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (isMutating(call.method, call.path)) this.#mutating.push(call);
    this.#last.push(call);
    if (this.#last.length > 2 * KEPT) this.#last.splice(0, KEPT);
  }

  get mutating(): readonly Call[] {
    return this.#mutating;
  }

  get last(): readonly Call[] {
    return this.#last;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  clear(): void {
    this.#counts.clear();
    this.#mutating.length = 0;
    this.#last.length = 0;
  }
}

/** Paths that differ only by an id are counted as one. */
function template(path: string): string {
  return path.replaceAll(/\/[A-Za-z0-9]{3}[A-Za-z0-9]{12}([A-Za-z0-9]{3})?(-\d+)?(?=\/|$)/g, '/{id}');
}
