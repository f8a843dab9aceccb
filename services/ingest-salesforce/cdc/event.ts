/**
 * Change events decoded as far as a hint needs: the header. The whole payload is decoded all the same, so that bytes which
 * are not what their schema says are noticed. Schemas come by id, once each.
 */
import avsc from 'avsc';
import { InvalidMessage } from '#core/errors.ts';
import { RpcError } from '#core/ports/vendor.ts';
import { isRecord } from '#core/vendor/json.ts';
import { fieldsOf } from './bitmap.ts';

export interface ChangeEvent {
  readonly entity: string;
  readonly recordIds: readonly string[];
  /** An open vocabulary: CREATE, UPDATE, DELETE, UNDELETE, GAP_… */
  readonly changeType: string;
  readonly changeOrigin: string | null;
  readonly transactionKey: string | null;
  readonly commitUser: string | null;
  readonly commitMs: number;
  /** Changed, set to null or sent as a difference; null where the event does not say. */
  readonly changedFields: readonly string[] | null;
}

export interface EventDecoder {
  /**
   * Throws `InvalidMessage`: `unknown_schema`, or `undecodable_event` for bytes that are not what the schema says. What
   * else the fetching of a schema throws passes through.
   */
  decode(schemaId: string, payload: Uint8Array): Promise<ChangeEvent>;
}

interface Schema {
  readonly type: avsc.Type;
  readonly json: unknown;
}

/** `fetchSchema` answers the schema's JSON text. */
export function eventDecoder(fetchSchema: (schemaId: string) => Promise<string>): EventDecoder {
  const schemas = new Map<string, Promise<Schema>>();

  /** Asked for once however many events wait for it; a failure is not kept. */
  function schemaOf(schemaId: string): Promise<Schema> {
    let schema = schemas.get(schemaId);
    if (schema === undefined) {
      schema = fetchSchema(schemaId).then(parseSchema, asUnknownSchema);
      schemas.set(schemaId, schema);
      schema.catch(() => schemas.delete(schemaId));
    }
    return schema;
  }

  return {
    async decode(schemaId, payload) {
      const { type, json } = await schemaOf(schemaId);
      let decoded: unknown;
      try {
        decoded = type.fromBuffer(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
      } catch (cause) {
        throw undecodable(cause);
      }
      return eventOf(decoded, json);
    },
  };
}

const REFUSED = new Set(['NOT_FOUND', 'INVALID_ARGUMENT']);

function asUnknownSchema(error: unknown): never {
  if (error instanceof RpcError && REFUSED.has(error.failure.status))
    throw new InvalidMessage('unknown_schema', 'An event names a schema that Salesforce does not know.', {
      cause: error,
    });
  throw error;
}

function parseSchema(text: string): Schema {
  try {
    const json: unknown = JSON.parse(text);
    return { type: avsc.Type.forSchema(json as avsc.Schema, { registry: { long: exactLong() } }), json };
  } catch (cause) {
    throw new InvalidMessage('unknown_schema', 'A schema of an event is not Avro.', { cause });
  }
}

/** Longs beyond 2^53 (a custom field may hold one) must not make the whole event undecodable: they lose digits nobody reads. */
function exactLong(): avsc.types.LongType {
  return avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
    toBuffer: (value: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(value));
      return bytes;
    },
    fromJSON: Number,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === 'number',
    compare: (a: number, b: number) => a - b,
  });
}

function eventOf(decoded: unknown, schema: unknown): ChangeEvent {
  const header = isRecord(decoded) ? decoded.ChangeEventHeader : undefined;
  if (!isRecord(header) || typeof header.entityName !== 'string' || typeof header.commitTimestamp !== 'number')
    throw undecodable(undefined);
  const changeType = textOrNull(header.changeType) ?? 'UPDATE';
  const lists = [header.changedFields, header.nulledFields, header.diffFields].map(texts);
  const told = changeType === 'UPDATE' && Array.isArray(header.changedFields);
  return {
    entity: header.entityName,
    recordIds: texts(header.recordIds),
    changeType,
    changeOrigin: textOrNull(header.changeOrigin),
    transactionKey: textOrNull(header.transactionKey),
    commitUser: textOrNull(header.commitUser),
    commitMs: header.commitTimestamp,
    changedFields: told ? [...new Set(lists.flatMap((list) => fieldsOf(list, schema)))] : null,
  };
}

function undecodable(cause: unknown): InvalidMessage {
  return new InvalidMessage('undecodable_event', 'An event is not what its schema says.', { cause });
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
