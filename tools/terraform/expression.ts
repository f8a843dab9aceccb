/** The parser's JSON back into HCL expressions, dynamic blocks as loops: what a stand-in resource can take as one value. */
import { isObject, listOf, objectOf, type Json, type JsonObject } from './configuration.ts';
import { endOf } from './references.ts';

export function expressionOf(value: Json): string {
  if (typeof value === 'string') return textOf(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(expressionOf).join(', ')}]`;
  return isObject(value) ? bodyOf(value) : JSON.stringify(value);
}

/** A body with its blocks; several dynamic blocks of one label, and static ones beside them, are one list. */
export function bodyOf(body: JsonObject): string {
  const { dynamic, ...given } = body;
  const loops = objectOf(dynamic);
  const names = new Set([...Object.keys(given), ...Object.keys(loops)]);
  return `{${[...names].map((name) => `${JSON.stringify(name)} = ${valueOf(given[name], listOf(loops[name]), name)}`).join(', ')}}`;
}

function valueOf(given: Json | undefined, loops: readonly JsonObject[], label: string): string {
  if (loops.length === 0) return expressionOf(given ?? null);
  const parts = loops.map((loop) => {
    const each = `[for key, value in ${expressionOf(loop['for_each'] ?? [])} : {key = key, value = value}]`;
    return `[for ${label} in ${each} : ${bodyOf(listOf(loop['content'])[0] ?? {})}]`;
  });
  return `concat(${[...(given === undefined ? [] : [expressionOf(given)]), ...parts].join(', ')})`;
}

/** One interpolation and nothing else is its expression; other text is a template. */
function textOf(text: string): string {
  if (text.startsWith('${') && endOf(text, 1) === text.length - 1) return `(${text.slice(2, -1)})`;
  let quoted = '';
  for (let at = 0; at < text.length;) {
    const start = text.indexOf('${', at);
    const literal = text.slice(at, start < 0 ? text.length : start);
    quoted += JSON.stringify(literal).slice(1, -1);
    if (start < 0) break;
    const end = endOf(text, start + 1);
    quoted += text.slice(start, end + 1);
    at = end + 1;
  }
  return `"${quoted}"`;
}
