/** Raw events as a broker delivers them, and an archive to put them in. */
import { archiveFiles, rowOf } from '#core/archive.ts';
import { Codec } from '#core/codec.ts';
import type { Envelope } from '#core/envelope.ts';
import type { Delivered, Lane } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { RawSource } from '#schemas/generated/types.ts';

export const codec = new Codec();

export interface RawOptions {
  readonly id: string;
  readonly source?: RawSource;
  readonly object?: string;
  readonly lane?: Lane;
  readonly sequence?: number;
  /** ISO time of the publish. */
  readonly at?: string;
  readonly record?: string | null;
  readonly operation?: Envelope['operation'];
}

export const AT = '2026-11-25T10:30:00.000Z';

export function rawEnvelope(options: RawOptions): Envelope {
  const { id, source = 'salesforce', object = 'Contact', lane = 'live', sequence = 1, operation = 'upsert' } = options;
  return {
    source, instance: 'acme', object, id, operation, lane, runId: null, observedAtMicros: 5, changedAtMicros: null, trace: `trace-${id}`,
    version: { epoch: 0, sourceSequence: sequence, issuedMicros: 7, generation: 0 },
    hint: { kind: 'UPDATE', changedFields: ['LastName'], user: null, origin: null, transaction: null },
  }; // prettier-ignore
}

/** The message's id is `m-<record's id>`. */
export function rawMessage(options: RawOptions): Delivered {
  const { id, source = 'salesforce', at = AT, record = `{"Id":"${id}"}` } = options;
  const message = codec.encodeRaw(source, { envelope: rawEnvelope(options), record });
  return { ...message, messageId: `m-${id}`, publishedAt: new Date(at), deliveryAttempts: 1 };
}

/** Stores the messages as the archiver would that gets them in one batch; answers the files' names. */
export async function archive(
  objects: ObjectsPort,
  source: RawSource,
  messages: readonly Delivered[],
): Promise<readonly string[]> {
  const files = await archiveFiles(
    source,
    messages.map((message) => rowOf(codec, source, message)),
  );
  for (const { name, bytes } of files) await objects.put(name, bytes);
  return files.map(({ name }) => name);
}

export async function namesOf(objects: ObjectsPort, prefix = ''): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of objects.list(prefix)) names.push(name);
  return names;
}
