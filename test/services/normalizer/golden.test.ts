/** Each file of `test/golden/<source>/<entity>/`: a raw record, and the canonical one it must become. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EntityName } from '#schemas/generated/types.ts';
import { Codec } from '#core/codec.ts';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { MAPPERS } from '#services/normalizer/mappers/index.ts';
import { createNormalizer } from '#services/normalizer/normalize.ts';
import { envelopeOf } from './kit.ts';

interface Golden {
  /** What the case shows, as a claim. */
  readonly name: string;
  readonly object: string;
  readonly id: string;
  readonly input: unknown;
  readonly expected: unknown;
}

const ROOT = join(import.meta.dirname, '../../golden');
const codec = new Codec();
const phones = createPhoneParser({ defaultCountry: 'US', cacheEntries: 1_000 });
const { normalize } = createNormalizer(codec, MAPPERS, phones);

function goldens(source: string, entity: string): readonly (readonly [string, Golden])[] {
  const folder = join(ROOT, source, entity);
  return readdirSync(folder).map((file) => {
    const golden = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden;
    return [`${file}: ${golden.name}`, golden];
  });
}

for (const { source, entity, objects } of MAPPERS) {
  describe(`${source} ${entity}`, () => {
    const cases = goldens(source, entity);

    it.each(cases)('%s', (_title, { object, id, input, expected }) => {
      const raw = codec.encodeRaw(source, { envelope: envelopeOf(source, object, id), record: JSON.stringify(input) });
      const { outputs, dispositions } = normalize(source, [raw]);
      expect(dispositions).toEqual([{ kind: 'ack' }]);
      const [message] = [...outputs.values()].flat();
      if (message === undefined) throw new Error('Nothing was published.');
      expect(codec.decodeCanonical<EntityName>(entity, message).record).toEqual(expected);
    });

    it('has a golden case for each of its objects', () => {
      expect(new Set(cases.map(([, { object }]) => object))).toEqual(new Set(objects));
    });
  });
}
