/**
 * Events to and from messages: the body is Avro binary, the attributes are the CloudEvents context in the Pub/Sub
 * binding with `key`, `lane`, `content-hash` (CRC-32: it tells damage and change, it is no proof) and, on a replay, `to`. What another version of a schema wrote is read through
 * `schemas/history`; what no known schema wrote is `InvalidMessage`.
 */
import { crc32 } from 'node:zlib';
import avsc from 'avsc';
import { BODIES } from '#schemas/generated/bodies.ts';
import { HISTORY } from '#schemas/generated/history.ts';
import type { Entities, EntityName, RawSource } from '#schemas/generated/types.ts';
import { contextAttributes } from './cloud-event.ts';
import type { Event } from './envelope.ts';
import { InvalidMessage } from './errors.ts';
import { keyText } from './key.ts';
import type { Message } from './ports/broker.ts';

export type RawEvent = Event<string>;
export type CanonicalEvent<E extends EntityName> = Event<Entities[E]>;

type Reader = ReturnType<avsc.Type['createResolver']>;

interface Body {
  readonly type: avsc.Type;
  readonly dataSchema: string;
  readonly ceType: string;
  readonly readers: Map<string, Reader | null>;
}

/** Builds each type once and keeps it. One codec a process is enough; making one does no work. */
export class Codec {
  readonly #bodies = new Map<string, Body>();

  encodeRaw(source: RawSource, event: RawEvent): Message {
    return this.#encode(`raw.${source}`, event, {});
  }

  decodeRaw(source: RawSource, message: Message): RawEvent {
    return this.#decode(`raw.${source}`, message) as RawEvent;
  }

  encodeCanonical<E extends EntityName>(entity: E, event: CanonicalEvent<E>): Message {
    return this.#encode(`canonical.${entity}`, event, {});
  }

  decodeCanonical<E extends EntityName>(entity: E, message: Message): CanonicalEvent<E> {
    return this.#decode(`canonical.${entity}`, message) as CanonicalEvent<E>;
  }

  /** Decodes whatever entity the message says it is: for consumers of topics that carry several (`ops.event`). */
  decodeAny(message: Message): { readonly entity: EntityName; readonly event: CanonicalEvent<EntityName> } {
    const entity = (message.attributes['ce-type'] ?? '').slice('tributary.canonical.'.length);
    if (BODIES[`canonical.${entity}`] === undefined)
      throw new InvalidMessage('unknown_entity', `No entity is called «${entity}».`);
    return { entity: entity as EntityName, event: this.decodeCanonical(entity as EntityName, message) };
  }

  #encode(name: string, event: Event<unknown>, extra: Readonly<Record<string, string>>): Message {
    const body = this.#body(name);
    let bytes: Buffer;
    try {
      bytes = body.type.toBuffer(event);
    } catch (cause) {
      throw new InvalidMessage(
        'not_encodable',
        `A ${name} event does not fit its schema: ${invalidPaths(body.type, event)}.`,
        { cause },
      );
    }
    const { envelope } = event;
    return {
      body: bytes,
      attributes: {
        ...contextAttributes(envelope, body.ceType, body.dataSchema),
        key: keyText(envelope),
        lane: envelope.lane,
        'content-hash': crc32(bytes).toString(16),
        ...extra,
      },
    };
  }

  #decode(name: string, message: Message): unknown {
    const body = this.#body(name);
    const written = message.attributes['ce-dataschema'] ?? body.dataSchema;
    const resolver = written === body.dataSchema ? undefined : this.#reader(body, name, written);
    try {
      return body.type.fromBuffer(buffer(message.body), resolver);
    } catch (cause) {
      throw new InvalidMessage('not_decodable', `A message of ${name} is not what its schema says.`, { cause });
    }
  }

  #reader(body: Body, name: string, dataSchema: string): Reader {
    let reader = body.readers.get(dataSchema);
    if (reader === undefined) {
      const schema = HISTORY[name]?.[dataSchema.slice(dataSchema.lastIndexOf('/') + 1)];
      reader = schema === undefined ? null : body.type.createResolver(typeFor(schema));
      body.readers.set(dataSchema, reader);
    }
    if (reader === null) throw new InvalidMessage('unknown_schema', `No schema of ${name} is known as ${dataSchema}.`);
    return reader;
  }

  #body(name: string): Body {
    let body = this.#bodies.get(name);
    if (body === undefined) {
      const known = BODIES[name];
      if (known === undefined) throw new InvalidMessage('unknown_body', `No body is called «${name}».`);
      body = {
        type: typeFor(known.schema),
        dataSchema: `tributary:schema/${name}/${known.fingerprint}`,
        ceType: `tributary.${name}`,
        readers: new Map(),
      };
      this.#bodies.set(name, body);
    }
    return body;
  }
}

/** Unions are explicit in one way everywhere: null or one type, the value bare. An ambiguous union is refused at load. */
export function typeFor(schema: unknown): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false });
}

function invalidPaths(type: avsc.Type, value: unknown): string {
  const paths: string[] = [];
  type.isValid(value, { errorHook: (path) => paths.push(path.join('.')) });
  return paths.length === 0 ? 'unknown field' : paths.join(', ');
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
