/** What several commands take: sources and times, looked at before anything is opened. */
import { Argument, InvalidArgumentError } from 'commander';

export const SOURCES = ['salesforce', 'dialpad'] as const;

export function sourceArgument(name: '<source>' | '[source]'): Argument {
  return new Argument(name, 'which source').choices([...SOURCES]);
}

/** A wrong time is wrong usage, whether or not the source is on. */
export function isoTime(text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('It must be a time such as 2026-11-20T00:00:00Z.');
  return text;
}
