/** Keys of records or participants to small numbers and back. What many keys share (source, instance, kind) is kept once. */
import { Interner } from './interner.ts';

export class Keys<P extends readonly string[]> {
  readonly #interner = new Interner();
  readonly #spaces: P[] = [];
  readonly #prefixes: string[] = [];

  get size(): number {
    return this.#interner.size;
  }

  get bytes(): number {
    return this.#interner.bytes;
  }

  intern(space: P, id: string): number {
    return this.#interner.intern(id, this.#prefixes[this.#space(space)]);
  }

  /** The parts and the id a number stands for. */
  key(ordinal: number): { readonly space: P; readonly id: string } {
    const text = this.#interner.text(ordinal);
    const colon = text.indexOf(':');
    return { space: this.#spaces[Number(text.slice(0, colon))] as P, id: text.slice(colon + 1) };
  }

  /** There are few: a source has a handful of kinds, an installation a handful of instances. */
  #space(parts: P): number {
    for (let at = 0; at < this.#spaces.length; at += 1) if (isSame(this.#spaces[at] as P, parts)) return at;
    this.#prefixes.push(`${this.#spaces.length}:`);
    return this.#spaces.push(parts) - 1;
  }
}

/** The last part differs most often. */
function isSame(a: readonly string[], b: readonly string[]): boolean {
  for (let at = a.length - 1; at >= 0; at -= 1) if (a[at] !== b[at]) return false;
  return true;
}
