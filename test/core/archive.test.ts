import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import {
  archivedRows,
  archiveFiles,
  eventOf,
  hourOfName,
  rowOf,
  type ArchivedRow,
  type ArchiveFile,
} from '#core/archive.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { codec, rawEnvelope, rawMessage } from '#test/kit/raw-events.ts';

const rows = (...messages: Delivered[]): ArchivedRow[] =>
  messages.map((message) => rowOf(codec, 'salesforce', message));
const files = (...messages: Delivered[]): Promise<readonly ArchiveFile[]> =>
  archiveFiles('salesforce', rows(...messages));
const read = (file: ArchiveFile): ArchivedRow[] => [...archivedRows('salesforce', file)].flat();

async function fileOf(...messages: Delivered[]): Promise<ArchiveFile> {
  const [file] = await files(...messages);
  return file as ArchiveFile;
}

const garbage: Delivered = { ...rawMessage({ id: 'g' }), body: Buffer.from('no Avro at all') };

describe('a message that cannot be decoded', () => {
  it('is archived with its bytes, beside the others', async () => {
    const [whole, kept] = read(await fileOf(rawMessage({ id: '1' }), garbage)).toSorted((a, b) => a.messageId < b.messageId ? -1 : 1); // prettier-ignore
    expect(whole?.undecoded).toBeNull();
    expect(kept).toMatchObject({ messageId: 'm-g', envelope: null, record: null, attributes: garbage.attributes });
    expect(kept?.undecoded).toEqual(Buffer.from('no Avro at all'));
  });

  it('and cannot be later either is told', async () => {
    const [row] = read(await fileOf(garbage));
    expect(() => eventOf(codec, 'salesforce', row as ArchivedRow)).toThrow(
      expect.objectContaining({ code: 'not_decodable' }),
    );
  });

  it('for want of its schema is an event once that is known', async () => {
    const message = rawMessage({ id: '1' });
    const early = { ...message, attributes: { ...message.attributes, 'ce-dataschema': 'tributary:schema/raw.salesforce/unheard-of' } }; // prettier-ignore
    const [row] = read(await fileOf(early));
    expect(row?.undecoded).toEqual(Buffer.from(message.body));
    const known = { ...(row as ArchivedRow), attributes: message.attributes };
    expect(eventOf(codec, 'salesforce', known)).toEqual({ envelope: rawEnvelope({ id: '1' }), record: '{"Id":"1"}' });
  });
});

describe('an archive file', () => {
  it('that lost its last block is told, though every block of it is whole', async () => {
    const record = 'x'.repeat(300_000);
    const many = ['1', '2', '3'].map((id) => rawMessage({ id, record: record + id }));
    const file = await fileOf(...many);
    const sync = Buffer.from(file.name.slice(-37, -5), 'hex');
    const bytes = Buffer.from(file.bytes);
    const lastBlock = bytes.lastIndexOf(sync, bytes.length - 17) + 16;
    const given: ArchivedRow[] = [];
    expect(() => {
      for (const block of archivedRows('salesforce', { ...file, bytes: bytes.subarray(0, lastBlock) }))
        given.push(...block);
    }).toThrow(expect.objectContaining({ code: 'avro_damaged' }));
    expect(given.map(({ messageId }) => messageId)).toEqual(['m-1', 'm-2']);
  });

  it('that another tool wrote again without somebody is read', async () => {
    const file = await fileOf(rawMessage({ id: '1' }), rawMessage({ id: '2' }));
    const [other] = await files(rawMessage({ id: '2' }));
    const rewritten = { name: file.name, bytes: other?.bytes ?? Buffer.of() };
    expect(read(rewritten).map(({ messageId }) => messageId)).toEqual(['m-2']);
  });

  it('holds the message as it was published: event, attributes, id and time', async () => {
    const message = rawMessage({ id: '1', lane: 'bulk', at: '2026-11-25T10:59:59.999Z' });
    const [row] = read(await fileOf(message));
    expect(row).toMatchObject({ messageId: 'm-1', publishedAt: Date.parse('2026-11-25T10:59:59.999Z') * 1_000 });
    expect(row?.attributes).toEqual(message.attributes);
    expect(eventOf(codec, 'salesforce', row as ArchivedRow)).toEqual(codec.decodeRaw('salesforce', message));
  });

  it('holds deletes without an image', async () => {
    const [row] = read(await fileOf(rawMessage({ id: '1', record: null, operation: 'delete' })));
    expect(row).toMatchObject({ envelope: { operation: 'delete' }, record: null });
  });

  it('is one an hour of the publish, though one batch spans hours, days and years', async () => {
    const times = ['2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z', '2026-12-31T23:00:00.000Z', '2027-01-01T01:00:00Z']; // prettier-ignore
    const made = await files(...times.map((at, index) => rawMessage({ id: String(index), at })));
    expect(made.map(({ name }) => name.replace(/-[0-9a-f]{32}/, ''))).toEqual([
      'archive/raw/salesforce/2026/12/31/23/20261231T230000.000Z.avro',
      'archive/raw/salesforce/2027/01/01/00/20270101T000000.000Z.avro',
      'archive/raw/salesforce/2027/01/01/01/20270101T010000.000Z.avro',
    ]);
    expect(made.map((file) => read(file).length)).toEqual([2, 1, 1]);
  });

  it('has a message once that came twice in one batch', async () => {
    expect(read(await fileOf(rawMessage({ id: '1' }), rawMessage({ id: '1' })))).toHaveLength(1);
  });

  it('is the same file whatever order and company its messages came in', async () => {
    const [one, two, three] = ['1', '2', '3'].map((id) => rawMessage({ id })) as [Delivered, Delivered, Delivered];
    expect(await files(one, two, three)).toEqual(await files(three, one, two, one));
    expect((await fileOf(one, two)).name).not.toBe((await fileOf(one, three)).name);
  });

  it('says its hour by its name, which nothing else does', () => {
    expect(hourOfName('salesforce', 'archive/raw/salesforce/2026/11/25/10/x.avro')).toBe('2026/11/25/10');
    for (const other of ['archive/raw/dialpad/2026/11/25/10/x.avro', 'archive/raw/salesforce/2026/11/25/x.avro', 'archive/raw/salesforce/2026/11/25/10/x.json'])
      expect(hourOfName('salesforce', other)).toBeUndefined();
  }); // prettier-ignore

  it('is read by Avro’s library with nothing of ours', async () => {
    const { bytes } = await fileOf(rawMessage({ id: '1' }), garbage);
    const decoder = new avsc.streams.BlockDecoder();
    const found: unknown[] = [];
    decoder.on('data', (row: unknown) => found.push(JSON.parse(JSON.stringify(row))));
    const ended = new Promise<void>((resolve, reject) => decoder.once('end', resolve).once('error', reject));
    decoder.end(Buffer.from(bytes));
    await ended;
    expect(found).toHaveLength(2);
    expect(JSON.stringify(found)).toContain('trace-1');
  });
});
