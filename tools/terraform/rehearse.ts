/**
 * Applies `infra/*.tf` for real, on a machine without the provider: each resource becomes a `terraform_data`, which is part
 * of Terraform itself and keeps what it is given. So every loop, condition, validation and expression is evaluated by
 * Terraform, and what would be made can be looked at. What Google computes (ids, addresses) is made-up text.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressOf, type Block, type Configuration, type Json, type JsonObject } from './configuration.ts';
import { bodyOf, expressionOf } from './expression.ts';
import { referencesIn } from './references.ts';

export interface Rehearsal {
  /** Resource address → key (empty for one alone) → its arguments. */
  readonly made: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;
  readonly outputs: JsonObject;
}

/** Throws with what Terraform says where it refuses. */
export function rehearse(configuration: Configuration, topology: unknown, variables: JsonObject): Rehearsal {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-rehearsal-'));
  try {
    writeFileSync(join(folder, 'main.tf'), standIns(configuration));
    writeFileSync(join(folder, 'topology.json'), JSON.stringify(topology));
    writeFileSync(join(folder, 'terraform.tfvars.json'), JSON.stringify(variables));
    terraform(folder, ['init']);
    terraform(folder, ['apply', '-auto-approve', '-compact-warnings']);
    return readState(terraform(folder, ['show', '-json']), configuration);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function terraform(folder: string, args: readonly string[]): string {
  const environment = { ...process.env, TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1', NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync('terraform', args, {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`terraform ${args[0] ?? ''} refused:\n${stderr}`);
  return stdout;
}

function standIns({ blocks, variables, locals, outputs }: Configuration): string {
  const read = attributesRead({ blocks, variables, locals, outputs });
  const text = [
    ...Object.entries(variables).map(([name, body]) => variable(name, body as JsonObject)),
    ...Object.entries(locals).map(([name, value]) => `locals {\n  ${name} = ${expressionOf(value)}\n}`),
    ...blocks.map((block) => standIn(block, [...(read.get(addressOf(block)) ?? [])])),
    ...Object.entries(outputs).map(
      ([name, body]) => `output "${name}" {\n  value = ${expressionOf((body as JsonObject)['value'] ?? null)}\n}`,
    ),
  ].join('\n\n');
  return text.replaceAll(
    /(?<![\w."-])(data\.)?(google_\w+)\.(\w+)/g,
    (_, data: string | undefined, type: string, name: string) =>
      `local.${data === undefined ? '' : 'data_'}${type}__${name}`,
  );
}

function variable(name: string, body: JsonObject): string {
  const { validation = [], type, ...rest } = body;
  const checks = (validation as readonly JsonObject[]).map((check) => `  validation {\n${entries(check)}\n  }`);
  const kind = typeof type === 'string' ? `  type = ${type.replace(/^\$\{([\s\S]*)\}$/, '$1')}` : '';
  return `variable "${name}" {\n${[kind, entries(rest), ...checks].join('\n')}\n}`;
}

function entries(body: JsonObject): string {
  return Object.entries(body)
    .map(([name, value]) => `    ${name} = ${expressionOf(value)}`)
    .join('\n');
}

const META = new Set(['count', 'for_each', 'depends_on', 'lifecycle', 'provider']);

function standIn(block: Block, read: readonly string[]): string {
  const { type, name, body } = block;
  const label = localName(block);
  const own = Object.fromEntries(Object.entries(body).filter(([argument]) => !META.has(argument)));
  const loop = 'for_each' in body ? 'for_each' : 'count' in body ? 'count' : undefined;
  const key = loop === 'for_each' ? '/${each.key}' : loop === 'count' ? '/${count.index}' : '';
  const computed = read.map((attribute) => `${attribute} = "${type}.${name}${key}.${attribute}"`).join(', ');
  const output = `terraform_data.${label}`;
  const all = {
    for_each: `{for key, one in ${output} : key => one.output}`,
    count: `[for one in ${output} : one.output]`,
  };
  return [
    `resource "terraform_data" "${label}" {`,
    loop === undefined ? '' : `  ${loop} = ${expressionOf(body[loop] ?? null)}`,
    `  input = merge({${computed}}, ${bodyOf(own)})`,
    '}',
    `locals {\n  ${label} = ${loop === undefined ? `${output}.output` : all[loop]}\n}`,
  ].join('\n');
}

function localName({ kind, type, name }: Block): string {
  return `${kind === 'data' ? 'data_' : ''}${type}__${name}`;
}

/** Which attributes expressions read, by address: those that are not given are Google's to compute. */
function attributesRead({
  blocks,
  variables,
  locals,
  outputs,
}: Configuration): ReadonlyMap<string, ReadonlySet<string>> {
  const all: Json = [...blocks.map(({ body }) => body), variables, locals, outputs];
  const read = new Map<string, Set<string>>();
  for (const { address, attribute } of referencesIn(all))
    read.set(address, (read.get(address) ?? new Set(['id'])).add(attribute ?? 'id'));
  return read;
}

interface State {
  readonly values: {
    readonly outputs?: Readonly<Record<string, { readonly value: Json }>>;
    readonly root_module: {
      readonly resources?: readonly {
        readonly name: string;
        readonly index?: string | number;
        readonly values: { readonly input: JsonObject };
      }[];
    };
  };
}

function readState(text: string, { blocks }: Configuration): Rehearsal {
  const { values } = JSON.parse(text) as State;
  const addresses = new Map(blocks.map((block) => [localName(block), addressOf(block)]));
  const made = new Map<string, Map<string, JsonObject>>();
  for (const { name, index = '', values: its } of values.root_module.resources ?? []) {
    const address = addresses.get(name) ?? name;
    made.set(address, (made.get(address) ?? new Map<string, JsonObject>()).set(String(index), its.input));
  }
  const outputs = Object.entries(values.outputs ?? {}).map(([name, { value }]) => [name, value]);
  return { made, outputs: Object.fromEntries(outputs) as JsonObject };
}
