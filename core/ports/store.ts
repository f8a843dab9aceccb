/** Small durable values under a key: checkpoints and leases. Every write is conditional, which fences an old instance. */
export interface StoredValue {
  readonly value: string;
  /** Changes with every write; opaque. */
  readonly generation: string;
}

export interface StorePort {
  get(key: string): Promise<StoredValue | undefined>;
  /**
   * Writes if the stored generation is `ifGeneration` (`null`: if there is no value). Answers the new generation, or
   * `undefined` if somebody else wrote. Durable against power loss when it resolves. At most one write a second per key
   * is promised by all adapters (Cloud Storage's limit): coalesce. One that throws may have been done: the same writer
   * may put again with the same `ifGeneration`, and is then refused only if somebody else wrote.
   */
  put(key: string, value: string, ifGeneration: string | null): Promise<string | undefined>;
  /** Whether it is gone by this call; after a failure on the way, whether it is gone. */
  delete(key: string, ifGeneration: string): Promise<boolean>;
  list(prefix: string): Promise<readonly string[]>;
}
