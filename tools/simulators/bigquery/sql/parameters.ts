/** Query parameters as REST carries them, written into the query as values of their types. */
import { fieldTypeOf } from '../catalog/fields.ts';
import { isJson, jsonOf, listOf, shown, textOf, type Json } from '../json.ts';
import { invalid, invalidQuery } from '../refused.ts';
import { plainDuckType, quoted } from '../store/duck-types.ts';
import type { Token } from './lexer.ts';
import { literal } from './names.ts';

/** For the translator: what stands for `@name` or for the next `?`. */
export function parametersOf(request: Json): (token: Token) => string {
  const given = listOf(request.queryParameters).map((item) => jsonOf(item, 'queryParameters'));
  let position = 0;
  return (token) => {
    if (token.text.startsWith('@@')) throw invalidQuery(`Unrecognized system variable: ${token.text}`);
    if (token.text === '?') {
      const next = given[position++];
      if (next === undefined) throw invalidQuery(`Query parameter number ${position} not found`);
      return valueOf(jsonOf(next.parameterType, 'parameterType'), next.parameterValue);
    }
    const name = token.text.slice(1).toLowerCase();
    const found = given.find((parameter) => shown(parameter.name ?? '').toLowerCase() === name);
    if (found === undefined) throw invalidQuery(`Query parameter '${name}' not found`);
    return valueOf(jsonOf(found.parameterType, 'parameterType'), found.parameterValue);
  };
}

function valueOf(type: Json, value: unknown): string {
  const given = isJson(value) ? value : {};
  const name = textOf(type.type, 'parameterType.type').toUpperCase();
  if (name === 'ARRAY') {
    const inner = jsonOf(type.arrayType, 'arrayType');
    return `[${listOf(given.arrayValues)
      .map((item) => valueOf(inner, item))
      .join(', ')}]`;
  }
  if (name === 'STRUCT') {
    const values = jsonOf(given.structValues, 'structValues');
    const entries = listOf(type.structTypes).map((item) => {
      const { name: field, type: inner } = jsonOf(item, 'structTypes');
      return `${quoted(shown(field))} := ${valueOf(jsonOf(inner, 'structTypes.type'), values[shown(field)])}`;
    });
    return `struct_pack(${entries.join(', ')})`;
  }
  const kept = fieldTypeOf(name);
  if (kept === 'RECORD') throw invalid(`Invalid parameter type ${name}`);
  const text = given.value;
  if (text === null || text === undefined) return `CAST(NULL AS ${plainDuckType(kept)})`;
  if (kept === 'BYTES') return `from_base64(${literal(shown(text))})`;
  return `CAST(${literal(shown(text))} AS ${plainDuckType(kept)})`;
}
