/** A record of the company as it was before anything happened: every value is a pure function of (seed, object, index, wave). */
import { mix32 } from './random.ts';
import type { Country } from './numbers.ts';

/** Datetimes are milliseconds since 1970, always whole seconds; dates are `YYYY-MM-DD`. */
export type Value = string | number | boolean | null;

/** How large the company is, and what it is made from. */
export interface Shape {
  readonly seed: number;
  readonly accounts: number;
  readonly contacts: number;
  readonly leads: number;
  readonly opportunities: number;
  readonly users: number;
  readonly tasks: number;
  readonly events: number;
  readonly calls: number;
  /** When the company's history ends and its life begins. */
  readonly epochMs: number;
}

/** A cursor over base records: set it to an index, then ask the generators. Reused, so that a million rows make no garbage. */
export class Row {
  index = 0;
  /** How often all records of the object had been rewritten, and when last. */
  wave = 0;
  waveMs = 0;
  readonly shape: Shape;
  readonly #salt: number;
  #hash = 0;

  constructor(shape: Shape, salt: number) {
    this.shape = shape;
    this.#salt = mix32(shape.seed, salt);
  }

  set(index: number, wave = 0, waveMs = 0): this {
    this.index = index;
    this.wave = wave;
    this.waveMs = waveMs;
    this.#hash = mix32(this.#salt, index);
    return this;
  }

  /** A 32-bit number of this record for one purpose. */
  mix(purpose: number): number {
    return mix32(this.#hash, purpose);
  }

  pick<T>(items: readonly T[], purpose: number): T {
    return items[this.mix(purpose) % items.length] as T;
  }

  /** True for this many in a thousand. */
  perMille(count: number, purpose: number): boolean {
    return this.mix(purpose) % 1_000 < count;
  }
}

export type Generate = (row: Row) => Value;
export type Generators = Readonly<Record<string, Generate>>;

/** Of fifty in a row, 36 are American, 6 British, 5 German and 3 French: [country, first, count]. */
const SLOTS = [['US', 0, 36], ['GB', 36, 6], ['DE', 42, 5], ['FR', 47, 3]] as const; // prettier-ignore

export function countryOf(index: number): Country {
  const slot = index % 50;
  return slot < 36 ? 'US' : slot < 42 ? 'GB' : slot < 47 ? 'DE' : 'FR';
}

/** How many of the same country come before: what numbers are counted by. */
export function rankInCountry(index: number): number {
  const country = countryOf(index);
  const [, first, count] = SLOTS.find(([name]) => name === country)!;
  return Math.floor(index / 50) * count + ((index % 50) - first);
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

export function createdMs(row: Row): number {
  return row.shape.epochMs - (30 + (row.mix(90) % 1_400)) * DAY - (row.mix(91) % 86_400) * SECOND;
}

export function modifiedMs(row: Row): number {
  if (row.wave > 0) return row.waveMs;
  const created = createdMs(row);
  const seconds = (row.shape.epochMs - created) / SECOND;
  return created + (row.mix(92) % seconds) * SECOND;
}

export function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
