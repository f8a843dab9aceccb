/** The participants of activities, each a number: what they can be known by, and what was last published of them. */
import type { RecordKey } from '#core/key.ts';
import type { ParticipantState } from '../state.ts';
import { bytes, doubles, unsigned } from './column.ts';
import { Keys } from './keys.ts';
import { Links } from './links.ts';
import { Versions } from './versions.ts';

export class Participants {
  readonly links = new Links();
  readonly versions = new Versions();
  readonly #keys = new Keys<readonly [string, string, string, string]>();
  readonly #deleted = bytes();
  readonly #occurredAt = doubles();
  readonly #fingerprints = doubles();
  readonly #epochs = unsigned();
  /** Index into the reasons; 0: there is something to match by. */
  readonly #absences = bytes();
  readonly #reasons: string[] = [''];

  get size(): number {
    return this.#keys.size;
  }

  get bytes(): number {
    const columns = [this.#deleted, this.#occurredAt, this.#fingerprints, this.#epochs, this.#absences];
    const own = columns.reduce((sum, column) => sum + column.bytes, 0);
    return own + this.#keys.bytes + this.links.bytes + this.versions.bytes;
  }

  intern(activity: RecordKey, role: string): number {
    return this.#keys.intern([activity.source, activity.instance, activity.object, role], activity.id);
  }

  key(participant: number): { readonly activity: RecordKey; readonly role: string } {
    const { space, id } = this.#keys.key(participant);
    const [source, instance, object, role] = space;
    return { activity: { source, instance, object, id }, role };
  }

  isDeleted(participant: number): boolean {
    return this.#deleted.get(participant) === 1;
  }

  occurredAtMicros(participant: number): number | null {
    const at = this.#occurredAt.get(participant);
    return at === 0 ? null : at;
  }

  absence(participant: number): string {
    return this.#reasons[this.#absences.get(participant)] ?? '';
  }

  /** Keeps what is not links. */
  keep(participant: number, state: ParticipantState): void {
    this.#deleted.set(participant, state.deleted ? 1 : 0);
    this.#occurredAt.set(participant, state.occurredAtMicros ?? 0);
    let reason = this.#reasons.indexOf(state.absence);
    if (reason === -1) reason = this.#reasons.push(state.absence) - 1;
    this.#absences.set(participant, Math.min(reason, 255));
  }

  /** What was last published, as a number; 0 if nothing was, or nobody knows. */
  fingerprint(participant: number): number {
    return this.#fingerprints.get(participant);
  }

  /** The epoch of the owner who last published it; 0 if nothing was. */
  publishedIn(participant: number): number {
    return this.#epochs.get(participant);
  }

  published(participant: number, fingerprint: number, epoch: number): void {
    this.#fingerprints.set(participant, fingerprint);
    this.#epochs.set(participant, epoch);
  }
}
