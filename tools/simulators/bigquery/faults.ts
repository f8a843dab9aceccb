/**
 * What goes wrong, by order of a test: switches that hold until they are changed, and faults for the next requests. Nothing
 * here ever happens by itself.
 */

/** What becomes of one AppendRows request. `isWritten`: the rows were kept all the same, only the answer went missing. */
export interface AppendFault {
  readonly kind: 'hang' | 'half-close' | 'reset' | 'error';
  readonly isWritten: boolean;
  /** gRPC status of `reset` (default 14, UNAVAILABLE) and of `error` (default 13, INTERNAL), which keeps the connection. */
  readonly code: number | null;
  readonly message: string;
  /** `dataset.table`; null: any. */
  readonly table: string | null;
}

export interface RestFault {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  /** The request was carried out all the same. */
  readonly isDone: boolean;
  /** Part of the path it strikes, e.g. `insertAll`; null: any. */
  readonly path: string | null;
}

export interface Switches {
  /** `dataset.table` or `dataset` where writing is denied; `*`: everywhere. */
  readonly denied: readonly string[];
  readonly isQuotaExceeded: boolean;
  /** A column added to a table is known to the write backend only after this; so is a new table, after the other. */
  readonly schemaDelayMs: number;
  readonly newTableDelayMs: number;
  /** An AppendRows connection without a request for this long is closed by the service. */
  readonly idleTimeoutMs: number;
  /** Every answer waits for this long. */
  readonly latencyMs: number;
}

const USUAL: Switches = {
  denied: [],
  isQuotaExceeded: false,
  schemaDelayMs: 0,
  newTableDelayMs: 0,
  idleTimeoutMs: 600_000,
  latencyMs: 0,
};

export class Faults {
  #switches: Switches = USUAL;
  #appends: AppendFault[] = [];
  #rest: RestFault[] = [];
  #drop: ((message: string) => number) | null = null;

  get switches(): Switches {
    return this.#switches;
  }

  set(changes: Partial<Switches>): void {
    this.#switches = { ...this.#switches, ...changes };
  }

  /** The next `times` AppendRows requests (of that table) suffer it. */
  onAppend(fault: Partial<AppendFault> & Pick<AppendFault, 'kind'>, times = 1): void {
    const whole = { isWritten: false, code: null, message: 'Told to fail by a test.', table: null, ...fault };
    for (let n = 0; n < times; n++) this.#appends.push(whole);
  }

  onRest(fault: Partial<RestFault> & Pick<RestFault, 'status'>, times = 1): void {
    const whole = { reason: 'backendError', message: 'Told to fail by a test.', isDone: false, path: null, ...fault };
    for (let n = 0; n < times; n++) this.#rest.push(whole);
  }

  /** Ends all open AppendRows connections, as a restarted backend does; says how many there were. */
  dropConnections(message = 'The connection was reset.'): number {
    return this.#drop?.(message) ?? 0;
  }

  clear(): void {
    this.#switches = USUAL;
    this.#appends = [];
    this.#rest = [];
  }

  denies(dataset: string, table: string): boolean {
    const { denied } = this.#switches;
    return denied.includes('*') || denied.includes(dataset) || denied.includes(`${dataset}.${table}`);
  }

  takeAppend(table: string): AppendFault | null {
    const at = this.#appends.findIndex((fault) => fault.table === null || fault.table === table);
    return at < 0 ? null : (this.#appends.splice(at, 1)[0] ?? null);
  }

  takeRest(path: string): RestFault | null {
    const at = this.#rest.findIndex((fault) => fault.path === null || path.includes(fault.path));
    return at < 0 ? null : (this.#rest.splice(at, 1)[0] ?? null);
  }

  /** For the gRPC server, which holds the connections. */
  connect(drop: (message: string) => number): void {
    this.#drop = drop;
  }
}
