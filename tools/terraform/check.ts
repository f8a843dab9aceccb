/**
 * Every resource's arguments against the provider's types, and every reference against what is declared: what `terraform
 * validate` would say, on a machine that cannot download the provider.
 */
import {
  addressOf,
  isObject,
  listOf,
  objectOf,
  type Block,
  type Configuration,
  type Json,
  type JsonObject,
} from './configuration.ts';
import { referencesIn } from './references.ts';
import { schemaOf, type Field, type ResourceSchema, type Shape } from './schema.ts';

const META = new Set(['count', 'for_each', 'depends_on', 'provider', 'lifecycle']);

/** One line a fault, each with file, address and argument. */
export function faultsOf(configuration: Configuration): readonly string[] {
  const schemas = new Map<string, ResourceSchema | undefined>();
  for (const { kind, type } of configuration.blocks) schemas.set(`${kind}.${type}`, schemaOf(kind, type));
  return [
    ...configuration.blocks.flatMap((block) => blockFaults(block, schemas.get(`${block.kind}.${block.type}`))),
    ...referenceFaults(configuration, schemas),
    ...unused(configuration),
  ];
}

function blockFaults(block: Block, schema: ResourceSchema | undefined): readonly string[] {
  const where = `${block.file}: ${addressOf(block)}`;
  if (schema === undefined) return [`${where}: the provider has no ${block.kind} ${block.type}.`];
  const own = Object.fromEntries(Object.entries(block.body).filter(([name]) => !META.has(name)));
  return bodyFaults(own, schema.shape, where);
}

function bodyFaults(body: JsonObject, shape: Shape, where: string): readonly string[] {
  const dynamic = objectOf(body['dynamic']);
  const given = Object.entries(body).filter(([name]) => name !== 'dynamic');
  return [
    ...given.flatMap(([name, value]) => fieldFaults(name, value, shape.get(name), where)),
    ...Object.entries(dynamic).flatMap(([name, list]) => dynamicFaults(name, listOf(list), shape.get(name), where)),
    ...Array.from(shape).flatMap(([name, { isRequired }]) =>
      isRequired && !(name in body) && !(name in dynamic) ? [`${where}: ${name} is required.`] : [],
    ),
  ];
}

function fieldFaults(name: string, value: Json, field: Field | undefined, where: string): readonly string[] {
  if (field === undefined) return [`${where}: there is no argument ${name}.`];
  if (field.block === undefined) return valueFaults(name, value, field, where);
  if (!Array.isArray(value)) return [`${where}: ${name} is a block, not an argument.`];
  return blocksFaults(name, listOf(value), field, where);
}

function dynamicFaults(
  name: string,
  list: readonly JsonObject[],
  field: Field | undefined,
  where: string,
): readonly string[] {
  if (field?.block === undefined) return [`${where}: there is no block ${name}.`];
  return list.flatMap(({ content }) =>
    listOf(content).flatMap((body) => bodyFaults(body, shapeOf(field), `${where}.${name}`)),
  );
}

function blocksFaults(name: string, bodies: readonly JsonObject[], field: Field, where: string): readonly string[] {
  const tooMany = !field.isRepeated && bodies.length > 1 ? [`${where}: ${name} may be given once.`] : [];
  return [...tooMany, ...bodies.flatMap((body) => bodyFaults(body, shapeOf(field), `${where}.${name}`))];
}

function shapeOf(field: Field): Shape {
  return field.block ?? new Map<string, Field>();
}

function valueFaults(name: string, value: Json, field: Field, where: string): readonly string[] {
  if (isComputed(value)) return [];
  if (!isOfType(value, field)) return [`${where}: ${name} must be a ${field.type}.`];
  if (field.values.length > 0 && typeof value === 'string' && !field.values.includes(value))
    return [`${where}: ${name} must be one of ${field.values.join(', ')}; it is ${value}.`];
  return [];
}

/** Terraform converts between text, numbers and truth values where the text is one. */
function isOfType(value: Json, { type }: Field): boolean {
  switch (type) {
    case 'list':
      return Array.isArray(value) && !value.some((entry) => isObject(entry as Json));
    case 'map':
      return isObject(value);
    case 'number':
      return typeof value !== 'object' && typeof value !== 'boolean' && !Number.isNaN(Number(value));
    case 'boolean':
      return value === true || value === false || value === 'true' || value === 'false';
    default:
      return typeof value !== 'object';
  }
}

function isComputed(value: Json): boolean {
  return value === null || (typeof value === 'string' && value.includes('${'));
}

function referenceFaults(
  { blocks, variables, locals, outputs }: Configuration,
  schemas: ReadonlyMap<string, ResourceSchema | undefined>,
): readonly string[] {
  const declared = new Map(blocks.map((block) => [addressOf(block), schemas.get(`${block.kind}.${block.type}`)]));
  const names = new Set([
    ...Object.keys(variables).map((name) => `var.${name}`),
    ...Object.keys(locals).map((name) => `local.${name}`),
  ]);
  const places: readonly (readonly [string, Json])[] = [
    ...blocks.map((block) => [`${block.file}: ${addressOf(block)}`, block.body] as const),
    ...Object.entries(variables).map(([name, body]) => [`var.${name}`, body] as const),
    ...Object.entries(locals).map(([name, value]) => [`local.${name}`, value] as const),
    ...Object.entries(outputs).map(([name, body]) => [`output.${name}`, body] as const),
  ];
  return places.flatMap(([where, value]) =>
    referencesIn(value).flatMap(({ address, attribute }) => {
      if (!declared.has(address) && !names.has(address)) return [`${where}: nothing declares ${address}.`];
      const attributes = declared.get(address)?.attributes;
      return attribute === undefined || attributes === undefined || attributes.has(attribute)
        ? []
        : [`${where}: ${address} has no attribute ${attribute}.`];
    }),
  );
}

function unused({ blocks, variables, locals, outputs }: Configuration): readonly string[] {
  const all: Json = [...blocks.map(({ body }) => body), variables, locals, outputs];
  const used = new Set(referencesIn(all).map(({ address }) => address));
  return [
    ...Object.keys(variables).map((name) => `var.${name}`),
    ...Object.keys(locals).map((name) => `local.${name}`),
  ].flatMap((name) => (used.has(name) ? [] : [`${name} is used by nothing.`]));
}
