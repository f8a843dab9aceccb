/**
 * What each holder (a record or a participant) leads to, and back: who holds an identifier, who leads to a record. A link is
 * one 32-bit number: its kind in the upper 5 bits, its target's ordinal in the lower 27.
 */
import { isPhone, LINK } from '../state.ts';
import { bytes, unsigned } from './column.ts';
import { Postings } from './postings.ts';

const TARGET_BITS = 27;
const TARGET_MASK = 2 ** TARGET_BITS - 1;
const MOST_LINKS = 255;

export type PackedLink = number;

export function pack(kind: number, target: number): PackedLink {
  if (target > TARGET_MASK) throw new RangeError('The index is full: it holds at most 134 million identifiers.');
  return ((kind << TARGET_BITS) | target) >>> 0;
}

export function kindOf(link: PackedLink): number {
  return link >>> TARGET_BITS;
}

export function targetOf(link: PackedLink): number {
  return link & TARGET_MASK;
}

/** Whether a link's target is a record; else it is an identifier. */
export function leadsToRecord(link: PackedLink): boolean {
  return kindOf(link) <= LINK.detail;
}

/** Raw texts and extensions lead nowhere: nobody looks them up. */
function isIndexed(link: PackedLink): boolean {
  const kind = kindOf(link);
  return kind <= LINK.roleEmail || isPhone(kind);
}

export class Links {
  readonly byIdentifier = new Postings();
  readonly byRecord = new Postings();
  readonly #pool = unsigned();
  readonly #offsets = unsigned();
  readonly #counts = bytes();
  /** Blocks to use again, by their size. */
  readonly #free = new Map<number, number[]>();
  #end = 0;

  get bytes(): number {
    const own = this.#pool.bytes + this.#offsets.bytes + this.#counts.bytes;
    return own + this.byIdentifier.bytes + this.byRecord.bytes;
  }

  of(holder: number): PackedLink[] {
    const count = this.#counts.get(holder);
    const offset = this.#offsets.get(holder);
    const links = new Array<PackedLink>(count);
    for (let at = 0; at < count; at += 1) links[at] = this.#pool.get(offset + at);
    return links;
  }

  /** The target of the holder's first link of a kind, or -1. */
  first(holder: number, kind: number): number {
    const count = this.#counts.get(holder);
    const offset = this.#offsets.get(holder);
    for (let at = 0; at < count; at += 1) {
      const link = this.#pool.get(offset + at);
      if (kindOf(link) === kind) return targetOf(link);
    }
    return -1;
  }

  /** Replaces all links of a holder. False if they were the same before. */
  set(holder: number, links: readonly PackedLink[]): boolean {
    const kept = links.length > MOST_LINKS ? links.slice(0, MOST_LINKS) : links;
    const before = this.of(holder);
    if (before.length === kept.length && before.every((link, at) => link === kept[at])) return false;
    this.#store(holder, before.length, kept);
    for (const link of before)
      if (isIndexed(link) && !hasTarget(kept, link)) this.#postings(link).remove(targetOf(link), holder);
    kept.forEach((link, at) => {
      if (isIndexed(link) && !hasTarget(before, link) && !hasTarget(kept, link, at))
        this.#postings(link).add(targetOf(link), holder);
    });
    return true;
  }

  #postings(link: PackedLink): Postings {
    return leadsToRecord(link) ? this.byRecord : this.byIdentifier;
  }

  #store(holder: number, before: number, links: readonly PackedLink[]): void {
    let offset = this.#offsets.get(holder);
    if (links.length !== before) {
      if (before > 0) this.#release(before, offset);
      offset = this.#free.get(links.length)?.pop() ?? this.#append(links.length);
      this.#offsets.set(holder, offset);
      this.#counts.set(holder, links.length);
    }
    links.forEach((link, at) => this.#pool.set(offset + at, link));
  }

  #release(size: number, offset: number): void {
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [offset]);
    else free.push(offset);
  }

  #append(size: number): number {
    const offset = this.#end;
    this.#end += size;
    return offset;
  }
}

/** Whether one of the links (before index `end`) is indexed under the same target. */
function hasTarget(links: readonly PackedLink[], link: PackedLink, end = links.length): boolean {
  const record = leadsToRecord(link);
  for (let at = 0; at < end; at += 1) {
    const other = links[at] as PackedLink;
    if (targetOf(other) === targetOf(link) && leadsToRecord(other) === record && isIndexed(other)) return true;
  }
  return false;
}
