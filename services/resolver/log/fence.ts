/**
 * Keeps an owner who lost the lease without noticing from acking what its successor did not read. A new owner leaves its mark
 * before it lists the log; the old one looks for a newer mark after it stored a segment and before it acks:
 *
 *     old:  store segment ──▶ any newer mark? ── no ──▶ ack        then the new owner's list, after its mark, has the segment
 *     new:  leave mark ──▶ list the log                 ── yes ─▶ stop, nothing acked: the broker delivers it again
 */
import { Stale } from '#core/errors.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { OWNERS, ownerName } from './names.ts';

export class Fence {
  readonly #objects: ObjectsPort;
  readonly #epoch: number;

  constructor(objects: ObjectsPort, epoch: number) {
    this.#objects = objects;
    this.#epoch = epoch;
  }

  /** Leaves the mark and takes away those of earlier owners. */
  async raise(): Promise<void> {
    await this.#objects.put(ownerName(this.#epoch), Buffer.from('{}'));
    for await (const name of this.#objects.list(OWNERS))
      if (name < ownerName(this.#epoch)) await this.#objects.delete(name);
    await this.check();
  }

  /** Throws `Stale` if there is a newer owner. */
  async check(): Promise<void> {
    for await (const name of this.#objects.list(OWNERS))
      if (name > ownerName(this.#epoch)) throw new Stale('owner_replaced', 'Another resolver has taken over.');
  }
}
