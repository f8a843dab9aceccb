/** What expressions refer to. */
import { isObject, type Json } from './configuration.ts';

export interface Reference {
  /** `google_x.y`, `data.google_x.y`, `var.x` or `local.x`. */
  readonly address: string;
  /** What is read of a resource; undefined where it is used whole. */
  readonly attribute: string | undefined;
}

const RESOURCE = /(?<![\w.-])((?:data\.)?google_\w+\.\w+)(?:\[[^\]]*\])?(?:\.(\w+))?/g;
const NAMED = /(?<![\w.-])((?:var|local)\.\w+)/g;

export function referencesIn(value: Json): readonly Reference[] {
  return textsIn(value).flatMap((text) => [
    ...Array.from(text.matchAll(RESOURCE), ([, address = '', attribute]) => ({ address, attribute })),
    ...Array.from(text.matchAll(NAMED), ([, address = '']) => ({ address, attribute: undefined })),
  ]);
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return value.includes('${') ? expressionsIn(value) : [];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** The text between `${` and its `}`, of each; nested ones are inside. */
function expressionsIn(text: string): readonly string[] {
  const found: string[] = [];
  for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', start)) {
    const end = endOf(text, start);
    found.push(text.slice(start + 2, end));
    start = end;
  }
  return found;
}

/** Where the interpolation that begins at `start` ends: the index of its closing brace. */
export function endOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}' && --depth === 0) return at;
  }
  return text.length;
}
