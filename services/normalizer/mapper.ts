/**
 * A mapper turns one source's records of some objects into one canonical entity. It is a table of rules, one a typed field;
 * it is pure, and forgetting a field does not compile. It lives at `mappers/<source>/<entity>.ts`.
 */
import type { Entities, EntityName, RawSource } from '#schemas/generated/types.ts';
import type { PhoneParser } from '#core/identifiers/phone.ts';
import { NO_HINTS, type Hints } from './identity-rules.ts';
import type { JsonObject, Path, Reading, Taken } from './reading.ts';
import type { Rule } from './rules.ts';

export type Rules<E extends EntityName> = { readonly [K in keyof Entities[E]]: Rule<Entities[E][K]> };

export interface MapperSpec<E extends EntityName> {
  readonly source: RawSource;
  readonly entity: E;
  /** By the source's own name of the object. */
  readonly objects: Readonly<Record<string, Rules<E>>>;
  /** Fields that are neither typed nor beyond: what the envelope says already. */
  readonly ignores: readonly string[];
  readonly hints?: Hints;
}

export interface Mapper<E extends EntityName = EntityName> {
  readonly source: RawSource;
  readonly entity: E;
  readonly objects: readonly string[];
  map(object: string, id: string, record: JsonObject, phones: PhoneParser): Entities[E];
}

export function defineMapper<E extends EntityName>(spec: MapperSpec<E>): Mapper<E> {
  const tables = new Map(
    Object.entries<Rules<E>>(spec.objects).map(([object, rules]) => [object, compile(rules, spec.ignores)]),
  );
  return {
    source: spec.source,
    entity: spec.entity,
    objects: [...tables.keys()],
    map(object, id, record, phones) {
      const table = tables.get(object);
      if (table === undefined) throw new Error(`The mapper of ${spec.entity} does not know ${object}.`);
      const { rules, taken } = table;
      const hints = spec.hints?.(record, phones) ?? NO_HINTS;
      const reading: Reading = { object, id, record, phones, hints, misfits: [], taken };
      const mapped: Record<string, unknown> = {};
      for (let index = 0; index < rules.length; index++) {
        const [name, rule] = rules[index] as Table['rules'][number];
        mapped[name] = rule.read(reading);
      }
      return mapped as unknown as Entities[E];
    },
  };
}

interface Table {
  readonly rules: readonly (readonly [string, Rule<unknown>])[];
  readonly taken: Taken;
}

function compile<E extends EntityName>(rules: Rules<E>, ignores: readonly string[]): Table {
  const entries = Object.entries<Rule<unknown>>(rules);
  const taken = new Map<string, Set<string> | null>(ignores.map((name) => [name, null]));
  for (const path of entries.flatMap(([, { from }]) => from)) {
    const inner = taken.get(path[0]);
    if (path.length === 1) taken.set(path[0], null);
    else if (inner === undefined) taken.set(path[0], new Set([path[1]]));
    else inner?.add(path[1]);
  }
  return { rules: entries, taken };
}

/** What the record has beyond the rules of its own table, as JSON by the source's names; null where that is nothing. */
export const beyond: Rule<string | null> = {
  from: [],
  read({ record, misfits, taken }) {
    let rest: Record<string, unknown> | undefined;
    for (const name in record) {
      const inner = taken.get(name);
      const value = inner === undefined ? record[name] : inner === null ? null : without(record[name], inner);
      if (!isNothing(value)) (rest ??= empty())[name] = value;
    }
    for (const path of misfits) keep((rest ??= empty()), record, path);
    return rest === undefined ? null : JSON.stringify(rest);
  },
};

/** Without a prototype, so that a field may have any name. */
function empty(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function isNothing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function without(value: unknown, taken: ReadonlySet<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value ?? null;
  const rest = Object.entries(value).filter(([name, inner]) => inner !== null && !taken.has(name));
  return rest.length === 0 ? null : Object.fromEntries(rest);
}

function keep(rest: Record<string, unknown>, record: JsonObject, path: Path): void {
  const [name, inner] = path;
  if (inner === undefined) rest[name] = record[name];
  else rest[name] = { ...(rest[name] as JsonObject | undefined), [inner]: (record[name] as JsonObject)[inner] };
}
