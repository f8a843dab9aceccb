/**
 * Larger immutable values: parked messages, resolver segments, claim checks, the archive. A name is at most 1,000
 * characters, in parts between `/` of at most 200 letters, digits and ._=@%+,~-, none starting with a dot; and no name
 * is the folder of another. One name is written at most once a second, for long (Cloud Storage's limit).
 */
export interface ObjectsPort {
  /** Durable against power loss when it resolves. An existing object of that name is replaced as a whole, never torn. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names in ascending order. */
  list(prefix: string): AsyncIterable<string>;
  /** Does nothing if there is no such object. */
  delete(name: string): Promise<void>;
}
