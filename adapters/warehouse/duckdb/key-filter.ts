/**
 * Which keys a table may hold: a set of 32-bit hashes in one typed array, so that a key that is certainly new is a pure
 * append and only a possible one needs the look-up and delete. It errs on one side only: a held key is always found; a
 * new key is taken for a held one with a chance of (keys held) / 2^32, which costs a look-up and no correctness.
 *
 * Memory: 4 bytes a slot, at most 2/3 full, doubling: 6 to 12 bytes a key. Beyond `MOST_KEYS` it answers "maybe" to all
 * and gives its memory back.
 */
const MOST_KEYS = 40_000_000;
const FIRST_SLOTS = 1 << 12;

export class KeyFilter {
  #slots = new Uint32Array(FIRST_SLOTS);
  #size = 0;
  #full = false;
  readonly #mostKeys: number;

  constructor(mostKeys = MOST_KEYS) {
    this.#mostKeys = mostKeys;
  }

  mayHold(keyText: string): boolean {
    return this.#full || this.#slots[this.#slotOf(hash(keyText))] !== 0;
  }

  add(keyText: string): void {
    if (this.#full) return;
    const value = hash(keyText);
    const slot = this.#slotOf(value);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = value;
    this.#size++;
    if (this.#size > this.#mostKeys) this.#giveUp();
    else if (this.#size * 3 > this.#slots.length * 2) this.#grow();
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The slot that holds the value, or the empty one where it would go. */
  #slotOf(value: number): number {
    const mask = this.#slots.length - 1;
    let slot = value & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== value) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (const value of old) if (value !== 0) this.#slots[this.#slotOf(value)] = value;
  }

  #giveUp(): void {
    this.#full = true;
    this.#slots = new Uint32Array(0);
  }
}

/** MurmurHash3 over UTF-16 code units, 32 bits, never 0 (0 marks an empty slot). */
function hash(text: string): number {
  let h = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h ^= text.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = (h ^ (h >>> 16)) >>> 0;
  return h === 0 ? 1 : h;
}
