/** Which records a replay is of, by the mappers: what none of them knows would be a dead letter again. */
import { Misconfigured } from '#core/errors.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import { MAPPERS } from '#services/normalizer/mappers/index.ts';

type Known = readonly {
  readonly source: RawSource;
  readonly entity: string;
  readonly objects: readonly string[];
}[];

export type Selection = ReadonlyMap<RawSource, ReadonlySet<string>>;

/**
 * The source's own names of objects, by source. `entity` is a canonical entity (`contact`: whatever becomes one) or else an
 * object as its source calls it (`Contact`). Throws `Misconfigured` (`unknown_object`) where a mapper knows neither.
 */
export function selectionOf(
  { source, entity }: { readonly source?: RawSource; readonly entity?: string },
  mappers: Known = MAPPERS,
): Selection {
  const ofSource = mappers.filter((mapper) => source === undefined || mapper.source === source);
  const pairs = ofSource.flatMap((mapper) => mapper.objects.map((object) => ({ ...mapper, object })));
  const ofEntity = pairs.filter((pair) => entity === undefined || pair.entity === entity);
  const chosen = ofEntity.length > 0 ? ofEntity : pairs.filter(({ object }) => object === entity);
  if (chosen.length === 0) throw unknown(entity ?? '', pairs);
  const bySource = Map.groupBy(chosen, (pair) => pair.source);
  return new Map(Array.from(bySource, ([name, some]) => [name, new Set(some.map(({ object }) => object))]));
}

/** Whether any mapper knows it. */
export function isMapped(source: RawSource, object: string, mappers: Known = MAPPERS): boolean {
  return mappers.some((mapper) => mapper.source === source && mapper.objects.includes(object));
}

/** Throws `Misconfigured` (`unknown_object`) where no mapper knows the object: it never makes a row. */
export function requireMapped(source: RawSource, object: string): void {
  if (isMapped(source, object)) return;
  const objects = MAPPERS.filter((mapper) => mapper.source === source).flatMap((mapper) => mapper.objects);
  throw new Misconfigured(
    'unknown_object',
    `No mapper knows «${object}»: an object of ${source} is one of ${objects.join(', ')}.`,
  );
}

function unknown(
  entity: string,
  pairs: readonly { readonly entity: string; readonly object: string }[],
): Misconfigured {
  const entities = [...new Set(pairs.map((pair) => pair.entity))].join(', ');
  const objects = [...new Set(pairs.map(({ object }) => object))].join(', ');
  return new Misconfigured(
    'unknown_object',
    `No mapper knows «${entity}»: an entity is one of ${entities}; an object of a source one of ${objects}.`,
  );
}
