/** Arrays of numbers that grow in fixed chunks: no copying, no objects, nothing for the garbage collector to walk. */
const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;

type Numbers = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

export class Column<T extends Numbers> {
  readonly #make: (length: number) => T;
  readonly #chunks: T[] = [];
  readonly #initial: number;

  constructor(make: (length: number) => T, initial = 0) {
    this.#make = make;
    this.#initial = initial;
  }

  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  get(index: number): number {
    const chunk = this.#chunks[index >>> CHUNK_BITS];
    return chunk === undefined ? this.#initial : (chunk[index & MASK] as number);
  }

  set(index: number, value: number): void {
    const at = index >>> CHUNK_BITS;
    let chunk = this.#chunks[at];
    if (chunk === undefined) chunk = this.#grow(at);
    chunk[index & MASK] = value;
  }

  #grow(at: number): T {
    for (let next = this.#chunks.length; next <= at; next += 1) {
      const chunk = this.#make(CHUNK);
      if (this.#initial !== 0) chunk.fill(this.#initial);
      this.#chunks.push(chunk);
    }
    return this.#chunks[at] as T;
  }
}

export const bytes = (): Column<Uint8Array> => new Column((length) => new Uint8Array(length));
export const shorts = (): Column<Uint16Array> => new Column((length) => new Uint16Array(length));
export const integers = (): Column<Int32Array> => new Column((length) => new Int32Array(length));
export const unsigned = (): Column<Uint32Array> => new Column((length) => new Uint32Array(length));
export const doubles = (initial = 0): Column<Float64Array> => new Column((length) => new Float64Array(length), initial);
