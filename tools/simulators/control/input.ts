/** Bodies of control requests, read with the care a test's typing errors deserve: what is not understood is refused. */
export class BadInput extends Error {}

export type Body = Readonly<Record<string, unknown>>;

export function bodyOf(value: unknown, known: readonly string[]): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadInput('A JSON object is expected.');
  const strange = Object.keys(value).filter((name) => !known.includes(name));
  if (strange.length > 0) throw new BadInput(`Not known: ${strange.join(', ')}. Known are ${known.join(', ')}.`);
  return value as Body;
}

export function number(body: Body, name: string, usual: number): number {
  const value = body[name] ?? usual;
  if (typeof value !== 'number' || Number.isNaN(value)) throw new BadInput(`${name} must be a number.`);
  return value;
}

export function text(body: Body, name: string, usual?: string): string {
  const value = body[name] ?? usual;
  if (typeof value !== 'string') throw new BadInput(`${name} must be a text.`);
  return value;
}

export function oneOf<T extends string>(body: Body, name: string, known: readonly T[]): T {
  const value = body[name];
  const found = known.find((item) => item === value);
  if (found === undefined) throw new BadInput(`${name} must be one of ${known.join(', ')}.`);
  return found;
}

export function flag(body: Body, name: string): boolean | undefined {
  const value = body[name];
  if (value !== undefined && typeof value !== 'boolean') throw new BadInput(`${name} must be true or false.`);
  return value;
}
