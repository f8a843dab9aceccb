/**
 * For each number a set of numbers: who holds an identifier, who leads to a record. Nearly all sets have one member, which
 * costs 4 bytes; larger ones are lists aside. No order is kept.
 */
import { integers } from './column.ts';

export class Postings {
  /** 0: empty; positive: the only member + 1; negative: -(index of the list) - 1. */
  readonly #heads = integers();
  readonly #lists: number[][] = [];
  readonly #freeLists: number[] = [];

  get bytes(): number {
    return this.#heads.bytes + this.#lists.reduce((sum, list) => sum + 16 + list.length * 8, 0);
  }

  /** The member must not be in the set. */
  add(of: number, member: number): void {
    const head = this.#heads.get(of);
    if (head === 0) return this.#heads.set(of, member + 1);
    if (head < 0) return void (this.#lists[-head - 1] as number[]).push(member);
    const index = this.#freeLists.pop() ?? this.#lists.length;
    this.#lists[index] = [head - 1, member];
    this.#heads.set(of, -index - 1);
  }

  remove(of: number, member: number): void {
    const head = this.#heads.get(of);
    if (head === member + 1) return this.#heads.set(of, 0);
    if (head >= 0) return;
    const list = this.#lists[-head - 1] as number[];
    const at = list.indexOf(member);
    if (at === -1) return;
    const last = list.pop() as number;
    if (at < list.length) list[at] = last;
    if (list.length > 1) return;
    this.#heads.set(of, (list[0] as number) + 1);
    this.#lists[-head - 1] = [];
    this.#freeLists.push(-head - 1);
  }

  /** Must not be changed meanwhile. */
  each(of: number, visit: (member: number) => void): void {
    const head = this.#heads.get(of);
    if (head > 0) visit(head - 1);
    else if (head < 0) for (const member of this.#lists[-head - 1] as number[]) visit(member);
  }
}
