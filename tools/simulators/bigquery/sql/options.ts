/** `OPTIONS (…)` of definitions, under the names of REST resources. */
import type { Json } from '../json.ts';
import { invalidQuery, notSimulated } from '../refused.ts';
import { isOperator, isWord, placeOf, split, type Group, type Node } from './lexer.ts';

const NAMES: Readonly<Record<string, string>> = {
  description: 'description',
  friendly_name: 'friendlyName',
  location: 'location',
  max_staleness: 'maxStaleness',
  require_partition_filter: 'requirePartitionFilter',
};
const SECONDS: Readonly<Record<string, number>> = { SECOND: 1, MINUTE: 60, HOUR: 3_600, DAY: 86_400 };

export function optionsOf(sql: string, { nodes }: Group): Json {
  return Object.fromEntries(split(nodes).map((part) => optionOf(sql, part)));
}

function optionOf(sql: string, nodes: readonly Node[]): [string, unknown] {
  const [name, equals, ...value] = nodes;
  if (name?.kind !== 'word' || !isOperator(equals, '=') || value.length === 0)
    throw invalidQuery(`Syntax error: Expected an option such as description="…" at ${placeOf(sql, name?.at ?? 0)}`);
  const known = NAMES[name.text.toLowerCase()];
  if (known === undefined) throw notSimulated(`The option ${name.text}`);
  return [known, valueOf(sql, value)];
}

function valueOf(sql: string, nodes: readonly Node[]): unknown {
  const [first] = nodes;
  if (isWord(first, 'INTERVAL')) return intervalOf(nodes.slice(1));
  if (isWord(first, 'NULL')) return null;
  if (isWord(first, 'TRUE', 'FALSE')) return isWord(first, 'TRUE');
  if (first?.kind === 'string' && nodes.length === 1) return first.text;
  if (first?.kind === 'number' && nodes.length === 1) return Number(first.text);
  throw invalidQuery(`Syntax error: Unexpected option value at ${placeOf(sql, first?.at ?? 0)}`);
}

/** `INTERVAL 15 MINUTE` or `INTERVAL "0:15:0" HOUR TO SECOND`, as the REST resource writes it: `0-0 0 0:15:0`. */
function intervalOf([amount, unit, to, last]: readonly Node[]): string {
  const text = amount !== undefined && 'text' in amount ? amount.text : '';
  if (isWord(unit, 'HOUR') && isWord(to, 'TO') && isWord(last, 'SECOND')) return `0-0 0 ${text}`;
  const factor = unit?.kind === 'word' ? SECONDS[unit.text.toUpperCase()] : undefined;
  if (factor === undefined || !/^\d+$/.test(text)) throw notSimulated('This form of INTERVAL in OPTIONS');
  const seconds = Number(text) * factor;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  return `0-0 0 ${hours}:${minutes}:${seconds % 60}`;
}
