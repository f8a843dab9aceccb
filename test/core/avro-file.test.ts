import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { decodeAvroFile, encodeAvroFile } from '#core/avro-file.ts';

const SCHEMA = {
  type: 'record',
  name: 'Thing',
  doc: 'A thing.',
  fields: [
    { name: 'id', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'name', type: ['null', 'string'] },
  ],
};

interface Thing {
  readonly id: number;
  readonly name: string | null;
}

const SYNC = Buffer.from('0123456789abcdef');
const things = (count: number, size = 10): Thing[] =>
  Array.from({ length: count }, (_, id) => ({ id, name: id % 3 === 0 ? null : `${id} `.repeat(size) }));
const encode = (rows: readonly Thing[]): Promise<Buffer> => encodeAvroFile(SCHEMA, rows, SYNC);
const decode = (bytes: Uint8Array, schema: object = SCHEMA): unknown[] => [...decodeAvroFile(schema, bytes)].flat();

/** With Avro's library, as any other tool would. */
async function decodeElsewhere(bytes: Buffer) {
  const decoder = new avsc.streams.BlockDecoder();
  const rows: unknown[] = [];
  const header = Promise.withResolvers<{ readonly codec: string; readonly schema: unknown }>();
  decoder.on('metadata', (_type, codec: string, { meta }: { readonly meta: Readonly<Record<string, Buffer>> }) =>
    header.resolve({ codec, schema: JSON.parse(String(meta['avro.schema'])) }),
  );
  decoder.on('data', (row: object) => rows.push({ ...row }));
  const ended = new Promise<void>((resolve, reject) => decoder.once('end', resolve).once('error', reject));
  decoder.end(bytes);
  await ended;
  return { ...(await header.promise), rows };
}

/** The same file as another writer would have made it, with a codec of its choice. */
function written(codec: string, rows: readonly Thing[], schema: object = SCHEMA): Promise<Buffer> {
  const asIs = (data: Buffer, done: (error: Error | null, data: Buffer) => void): void => done(null, data);
  const encoder = new avsc.streams.BlockEncoder(schema as avsc.Schema, { codec, codecs: { [codec]: asIs } });
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve) => encoder.once('end', resolve));
  for (const row of rows) encoder.write(row);
  encoder.end();
  return ended.then(() => Buffer.concat(parts));
}

function read(bytes: Uint8Array, schema: object = SCHEMA): { readonly rows: unknown[]; readonly error: unknown } {
  const rows: unknown[] = [];
  try {
    for (const block of decodeAvroFile(schema, bytes)) rows.push(...block);
    return { rows, error: undefined };
  } catch (error) {
    return { rows, error };
  }
}

const DAMAGED: unknown = expect.objectContaining({ code: 'avro_damaged' });

describe('a damaged file', () => {
  it('is told at every length it can be cut to, but for the ends of blocks', async () => {
    const file = await encode(things(30));
    const headerEnd = file.indexOf(SYNC) + SYNC.length;
    const silent = Array.from(file.keys()).filter((length) => read(file.subarray(0, length)).error === undefined);
    expect(silent).toEqual([headerEnd]);
  });

  it('gives what came before the damage', async () => {
    const file = await encode(things(20_000));
    const { rows, error } = read(file.subarray(0, file.length - 1));
    expect(error).toEqual(DAMAGED);
    expect(rows.length).toBeGreaterThan(1_000);
    expect(rows).toEqual(things(20_000).slice(0, rows.length));
  });

  it.each([
    ['a block that does not end with the file’s mark', (file: Buffer) => file.fill('x', file.length - 16)],
    ['another beginning', (file: Buffer) => file.fill('X', 0, 1)],
    ['bytes in a block that are not what was written', (file: Buffer) => file.fill(255, file.length - 40, file.length - 20)],
    ['a schema that is none', (file: Buffer) => Buffer.from(file.toString('latin1').replace('"record"', '"recurd"'), 'latin1')],
  ])('is told: %s', async (_, damage) => {
    const file = damage(await encode(things(50)));
    expect(() => decode(file)).toThrow(DAMAGED);
  }); // prettier-ignore

  it('is told: a codec that nobody here reads', async () => {
    const file = await written('zstandard', things(5));
    expect(() => decode(file)).toThrow('its codec is zstandard');
  });

  it('is told: an empty one, and one of nothing but a beginning', () => {
    for (const bytes of [Buffer.of(), Buffer.from('Obj\u0001')]) expect(() => decode(bytes)).toThrow(DAMAGED);
  });
});

describe('a file', () => {
  it('takes no row that does not fit', async () => {
    await expect(encode([{ id: 1, name: 7 } as unknown as Thing])).rejects.toMatchObject({ code: 'not_encodable' });
  });

  it.each([0, 1, 1_000, 20_000])('of %i rows is given back as it was', async (count) => {
    expect(decode(await encode(things(count)))).toEqual(things(count));
  });

  it('is the same bytes for the same rows', async () => {
    expect(await encode(things(5_000))).toEqual(await encode(things(5_000)));
  });

  it('is read block by block, so that a reader holds little', async () => {
    const blocks = [...decodeAvroFile(SCHEMA, await encode(things(40_000)))];
    expect(blocks.length).toBeGreaterThan(5);
  });

  it('is what Avro’s library reads, with the schema’s docs and logical types', async () => {
    expect(await decodeElsewhere(await encode(things(1_000)))).toEqual({
      codec: 'deflate',
      schema: SCHEMA,
      rows: things(1_000),
    });
  });

  it('that another writer left uncompressed is read', async () => {
    expect(decode(await written('null', things(300)))).toEqual(things(300));
  });

  it('of an older schema is read as today’s, with the new field’s default', async () => {
    const today = { ...SCHEMA, fields: [...SCHEMA.fields, { name: 'more', type: ['null', 'string'], default: null }] };
    expect(decode(await encode(things(3)), today)).toEqual(things(3).map((row) => ({ ...row, more: null })));
  });

  it('of a schema that cannot be read as today’s says so', async () => {
    const today = { ...SCHEMA, fields: [...SCHEMA.fields, { name: 'more', type: 'string' }] };
    const file = await encode(things(3));
    expect(() => decode(file, today)).toThrow(DAMAGED);
  });
});
