/**
 * What an object's fields are, as the integration user sees them: types for the decoding, and the fields that must be
 * left out because the user may not see them or a bulk query cannot give them. Leaving one out is warned about, never silent.
 */
import { InvalidMessage } from '#core/errors.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { isRecord } from '#core/vendor/json.ts';
import { recordPlan, type PlannedField, type RecordPlan } from '../decode/plan.ts';
import { kindOf } from '../decode/value.ts';
import { fieldList, type ObjectName } from '../objects.ts';
import type { OrgClient } from './client.ts';

/** Not in a bulk query's reach: compound fields (their parts are), and binary ones. */
const UNREADABLE_TYPES = new Set(['address', 'location', 'base64', 'complexvalue']);

export interface DescribeOptions {
  readonly client: OrgClient;
  readonly telemetry: Telemetry;
  readonly extraFields: readonly string[];
  readonly signal: AbortSignal;
}

export interface Catalogue {
  plan(object: ObjectName): Promise<RecordPlan>;
  /** Describes the object again when next asked: its fields changed. */
  forget(object: ObjectName): void;
}

/** Describes each object once, when first asked for; a failure is not kept. */
export function catalogue(options: DescribeOptions): Catalogue {
  const plans = new Map<ObjectName, Promise<RecordPlan>>();
  return {
    plan(object) {
      let plan = plans.get(object);
      if (plan === undefined) {
        plan = describe(options, object);
        plans.set(object, plan);
        plan.catch(() => plans.delete(object));
      }
      return plan;
    },
    forget: (object) => void plans.delete(object),
  };
}

async function describe(options: DescribeOptions, object: ObjectName): Promise<RecordPlan> {
  const { client, signal } = options;
  const path = client.data(`sobjects/${object}/describe`);
  const { value: types } = await client.json({ path, purpose: 'prompt', signal }, (value) => typesOf(object, value));
  const fields: PlannedField[] = [];
  for (const name of fieldList(object, options.extraFields)) {
    const type = types.get(name);
    if (type !== undefined && !UNREADABLE_TYPES.has(type)) fields.push({ name, kind: kindOf(type) });
    else warn(options, `${object}.${name}`, type === undefined ? 'field_not_visible' : 'field_not_readable');
  }
  return recordPlan(object, fields);
}

function warn({ telemetry }: DescribeOptions, field: string, code: string): void {
  telemetry.emit('configurationWarned', { service: 'ingest-salesforce', code, field });
}

function typesOf(object: ObjectName, answer: unknown): ReadonlyMap<string, string> {
  if (!isRecord(answer) || !Array.isArray(answer.fields))
    throw new InvalidMessage('no_describe', `The describe of ${object} has no fields: check salesforce.apiVersion.`);
  const types = new Map<string, string>();
  for (const field of answer.fields as readonly unknown[])
    if (isRecord(field) && typeof field.name === 'string' && typeof field.type === 'string')
      types.set(field.name, field.type);
  return types;
}
