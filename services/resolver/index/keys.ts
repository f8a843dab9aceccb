/** Keys of records or participants to small numbers and back. What many keys share (source, instance, kind) is kept once. */
import { Interner } from './interner.ts';

export class Keys<P extends readonly string[]> {
  readonly #interner = new Interner();
  readonly #spaces: P[] = [];
  readonly #spaceByText = new Map<string, number>();

  get size(): number {
    return this.#interner.size;
  }

  get bytes(): number {
    return this.#interner.bytes;
  }

  /** A small number for what keys share: ask once where many ids follow. */
  space(...parts: P): number {
    const text = parts.join('\n');
    let space = this.#spaceByText.get(text);
    if (space === undefined) {
      space = this.#spaces.length;
      this.#spaces.push(parts);
      this.#spaceByText.set(text, space);
    }
    return space;
  }

  intern(space: number, id: string): number {
    return this.#interner.intern(`${space}:${id}`);
  }

  find(space: number, id: string): number {
    return this.#interner.find(`${space}:${id}`);
  }

  /** The parts and the id a number stands for. */
  key(ordinal: number): { readonly space: P; readonly id: string } {
    const text = this.#interner.text(ordinal);
    const colon = text.indexOf(':');
    return { space: this.#spaces[Number(text.slice(0, colon))] as P, id: text.slice(colon + 1) };
  }
}
