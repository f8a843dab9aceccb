/** What people type in when they change a record: sometimes awkward, and never the same twice. */
import { directLine } from './generate/contact.ts';
import type { ObjectName } from './ids.ts';
import { e164, numberOf, spaceSize, type Country } from './numbers.ts';
import * as pools from './pools.ts';
import type { Dice } from './random.ts';
import { countryOf } from './row.ts';
import type { Patch } from './table.ts';
import { written } from './written.ts';
import type { World } from './world.ts';

export class Edits {
  readonly #world: World;
  readonly #dice: Dice;
  /** Counts changes. */
  made = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** What an update of such a record sets; for several records at once, the same. */
  values(object: ObjectName, isMass: boolean): Patch {
    if (object === 'Opportunity')
      return { StageName: this.#dice.pick(pools.STAGES), Amount: this.#dice.below(5_000_000) / 100 };
    if (object === 'Task')
      return { Status: this.#dice.pick(['Completed', 'In Progress', 'Not Started']), Description: this.#note() };
    if (object === 'Event') return { Location: this.#dice.pick(['Room 4', 'Room 5', null]), Description: this.#note() };
    if (object === 'Account')
      return { BillingCity: this.#dice.pick(['Lyon', 'Köln', 'Boston']), Description: this.#note() };
    if (object === 'User') return { Title: this.#dice.pick(pools.TITLES), Department: this.#note() };
    const Title = this.#dice.chance(0.2) ? this.#dice.pick(pools.AWKWARD) : this.#dice.pick(pools.TITLES);
    if (isMass || this.#dice.chance(0.6)) return { Title, Description: this.#note() };
    return {
      Title: this.#dice.chance(0.2) ? null : Title,
      Description: this.#note(),
      MobilePhone: this.#number(),
      [object === 'Lead' ? 'City' : 'MailingCity']: this.#dice.pick(['Lyon', 'Köln']),
    };
  }

  /** Different every time, so that every update changes something. */
  #note(): string {
    return `Note ${this.made}`;
  }

  company(): string {
    return `${this.#dice.pick(pools.COMPANY_FIRST)} ${this.#dice.pick(pools.COMPANY_SECOND)} N${this.made}`;
  }

  /** The date so many days ahead. */
  day(ahead: number): string {
    return new Date(this.#world.now() + ahead * 86_400_000).toISOString().slice(0, 10);
  }

  /** A number nobody has yet, or in one of ten cases a colleague's direct line. */
  #number(): string {
    const { shape } = this.#world;
    if (this.#dice.chance(0.1)) return e164(directLine(this.#dice.below(shape.contacts), shape));
    const country: Country = countryOf(this.#dice.below(50));
    const n = this.#dice.below(spaceSize(country, 'stranger'));
    return written(numberOf(country, 'stranger', n, shape.seed), this.#dice.below(10));
  }
}
