/** What a resource takes, from the provider's published types: names, what is required, nested blocks, listed values. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { PROVIDER_TYPES } from './library.ts';

export interface Field {
  readonly isRequired: boolean;
  readonly type: 'string' | 'number' | 'boolean' | 'list' | 'map' | 'block';
  /** Values the documentation lists as possible; empty: any. */
  readonly values: readonly string[];
  /** Of a block. */
  readonly block: Shape | undefined;
  readonly isRepeated: boolean;
}

/** Argument or block name → what it is. */
export type Shape = ReadonlyMap<string, Field>;

export interface ResourceSchema {
  readonly shape: Shape;
  /** Everything an expression may read of it. */
  readonly attributes: ReadonlySet<string>;
}

/** Undefined for a type that the provider does not have. */
export function schemaOf(kind: 'resource' | 'data', type: string): ResourceSchema | undefined {
  const folder = `${kind === 'data' ? 'data-' : ''}${kind === 'data' ? type : type.replace(/^google_/, '')}`;
  const path = join(PROVIDER_TYPES, folder.replaceAll('_', '-'), 'index.d.ts');
  if (!existsSync(path)) return undefined;
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, false);
  const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((one) => [one.name.text, one]));
  const root = [...interfaces.values()].find((one) => heritageOf(one, source).includes('TerraformMetaArguments'));
  if (root === undefined) return undefined;
  return { shape: shapeOf(root, interfaces, source), attributes: attributesOf(source) };
}

type Interfaces = ReadonlyMap<string, ts.InterfaceDeclaration>;

function shapeOf(declaration: ts.InterfaceDeclaration, interfaces: Interfaces, source: ts.SourceFile): Shape {
  return new Map(
    declaration.members.filter(ts.isPropertySignature).map((member) => {
      const doc = docOf(member, source);
      const name = /#([a-z0-9_]+) \w+#/.exec(doc)?.[1] ?? snake(member.name.getText(source));
      return [name, fieldOf(member, doc, interfaces, source)];
    }),
  );
}

function fieldOf(member: ts.PropertySignature, doc: string, interfaces: Interfaces, source: ts.SourceFile): Field {
  const text = (member.type?.getText(source) ?? '').replace(/ \| cdktf\.IResolvable$/, '');
  const nested = interfaces.get(text.replace(/\[\]$/, ''));
  return {
    isRequired: member.questionToken === undefined,
    type: nested === undefined ? typeOf(text) : 'block',
    values:
      /Possible values: \[([^\]]*)\]/
        .exec(doc)?.[1]
        ?.match(/"([^"]*)"/g)
        ?.map((value) => value.slice(1, -1)) ?? [],
    block: nested === undefined ? undefined : shapeOf(nested, interfaces, source),
    isRepeated: text.endsWith('[]'),
  };
}

function typeOf(text: string): Field['type'] {
  if (text.endsWith('[]')) return 'list';
  if (text.startsWith('{')) return 'map';
  return text === 'number' || text === 'boolean' ? text : 'string';
}

function attributesOf(source: ts.SourceFile): ReadonlySet<string> {
  const resource = source.statements
    .filter(ts.isClassDeclaration)
    .find((one) => /Terraform(Resource|DataSource)$/.test(heritageOf(one, source).trim()));
  return new Set(resource?.members.filter(ts.isGetAccessor).map((member) => snake(member.name.getText(source))));
}

function heritageOf(declaration: ts.InterfaceDeclaration | ts.ClassDeclaration, source: ts.SourceFile): string {
  return (declaration.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText(source))).join();
}

function docOf(member: ts.PropertySignature, source: ts.SourceFile): string {
  return source.text.slice(member.getFullStart(), member.getStart(source, false));
}

function snake(name: string): string {
  return name.replaceAll(/([A-Z])/g, (letter) => `_${letter.toLowerCase()}`);
}
