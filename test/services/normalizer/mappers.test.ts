import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { entityTopic } from '#core/topics.ts';
import { fieldList, OBJECTS } from '#services/ingest-salesforce/objects.ts';
import { MAPPERS } from '#services/normalizer/mappers/index.ts';
import { normalizer } from '#services/normalizer/service.ts';

const FOLDER = join(import.meta.dirname, '../../../services/normalizer/mappers');

function files(): readonly (readonly [source: string, entity: string, path: string])[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: source }) =>
      readdirSync(join(FOLDER, source)).map(
        (file) => [source, file.replace('.ts', '').replaceAll('-', '_'), join(FOLDER, source, file)] as const,
      ),
    );
}

describe('the list of mappers', () => {
  it('holds every file of the folder, and each is of the source and entity that its path says', async () => {
    for (const [source, entity, path] of files()) {
      const module = (await import(pathToFileURL(path).href)) as { readonly default: unknown };
      expect(module.default, path).toMatchObject({ source, entity });
      expect(MAPPERS, path).toContain(module.default);
    }
    expect(MAPPERS).toHaveLength(files().length);
  });

  it('has one mapper for each object of a source', () => {
    const objects = MAPPERS.flatMap((mapper) => mapper.objects.map((object) => `${mapper.source}/${object}`));
    expect(new Set(objects).size).toBe(objects.length);
  });

  it('is what the service publishes', () => {
    expect(new Set(normalizer.declared.publishes)).toEqual(new Set(MAPPERS.map(({ entity }) => entityTopic(entity))));
  });
});

describe('every field that Salesforce is read for has its typed field', () => {
  const phones = createPhoneParser({ defaultCountry: null, cacheEntries: 0 });
  const values = ['1', true, '2026-01-05', '2026-01-05T09:30:00.000Z'];

  it.each(OBJECTS)('%s', (object) => {
    const mapper = MAPPERS.find(({ source, objects }) => source === 'salesforce' && objects.includes(object));
    if (mapper === undefined) throw new Error(`No mapper knows ${object}.`);
    for (const field of fieldList(object, [])) {
      const customs = values.map((value) => mapper.map(object, 'id', { [field]: value }, phones));
      expect(
        customs.some((record) => 'custom_fields' in record && record.custom_fields === null),
        field,
      ).toBe(true);
    }
  });
});
