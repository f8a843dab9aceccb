/** Reading JSON that came from outside: a value is looked at before it is believed. */
import { invalid } from './refused.ts';

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function jsonOf(value: unknown, what: string): Json {
  if (isJson(value)) return value;
  throw invalid(`Invalid value for ${what}: an object is expected.`);
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`Required parameter is missing: ${what}`);
}

export function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other;
}

/** JSON of Google's carries 64-bit numbers as text; both are taken. */
export function wholeOr(value: unknown, other: number): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : other;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((item): item is string => typeof item === 'string');
}

/** What is given as text or a number, as text; anything else as JSON, for messages. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
