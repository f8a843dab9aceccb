/** Larger immutable values: parked messages, resolver segments, claim checks. Names use `/` as separator. */
export interface ObjectsPort {
  /** Durable against power loss when it resolves. An existing object of that name is replaced as a whole, never torn. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names in ascending order. */
  list(prefix: string): AsyncIterable<string>;
  /** Does nothing if there is no such object. */
  delete(name: string): Promise<void>;
}
