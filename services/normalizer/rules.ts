/**
 * What mappers are written in: a rule says from which fields of the raw record one typed field is taken, and how. A value
 * that its typed field cannot hold is null there and kept with what is beyond the typed fields: no record is refused for it.
 */
import { MICROS_PER_MS } from '#core/clock.ts';
import { valueAt, textAt, type Path, type Reading } from './reading.ts';

export interface Rule<T> {
  /** What it takes: the rest is beyond the typed fields. */
  readonly from: readonly Path[];
  read(reading: Reading): T;
}

/** As the source has it. */
export function text(...path: Path): Rule<string | null> {
  return { from: [path], read: ({ record }) => textAt(record, path) };
}

/** The first that is there. */
export function firstText(paths: readonly Path[]): Rule<string | null> {
  return {
    from: paths,
    read({ record }) {
      for (const path of paths) {
        const found = textAt(record, path);
        if (found !== null) return found;
      }
      return null;
    },
  };
}

/** The parts that are there, joined; the whole where the source gives it. */
export function joinedText(whole: string, parts: readonly string[]): Rule<string | null> {
  return {
    from: [whole, ...parts].map((name): Path => [name]),
    read({ record }) {
      const given = textAt(record, [whole]);
      if (given !== null) return given;
      const joined = parts.map((name) => textAt(record, [name])).filter((part) => part !== null);
      return joined.length === 0 ? null : joined.join(' ');
    },
  };
}

export function constant<T>(value: T): Rule<T> {
  return { from: [], read: () => value };
}

export const recordId: Rule<string> = { from: [], read: ({ id }) => id };

/** Decimal text, exact. */
export function decimal(...path: Path): Rule<string | null> {
  return fitted(path, (value) => (/^-?\d+(?:\.\d+)?$/.test(value) ? value : undefined));
}

export function float(...path: Path): Rule<number | null> {
  return fitted(path, (value) => (/^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined));
}

/** Whole numbers; a fraction is no misfit where the source is known to give one: `rounded`. */
export function integer(...path: Path): Rule<number | null> {
  return fitted(path, (value) => (/^-?\d+$/.test(value) ? safe(Number(value)) : undefined));
}

/** `times` the value, to the nearest whole number. */
export function rounded(times: number, ...path: Path): Rule<number | null> {
  return fitted(path, (value) =>
    /^-?\d+(?:\.\d+)?$/.test(value) ? safe(Math.round(Number(value) * times)) : undefined,
  );
}

export function flag(...path: Path): Rule<boolean | null> {
  const from = [path];
  return {
    from,
    read(reading) {
      const value = valueAt(reading.record, path);
      if (typeof value === 'boolean') return value;
      if (value !== undefined && value !== null && value !== '') reading.misfits.push(path);
      return null;
    },
  };
}

/** ISO 8601 with a zone, to microseconds since 1970. */
export function instant(...path: Path): Rule<number | null> {
  return fitted(path, (value) => {
    const ms = /[Zz]|[+-]\d\d:?\d\d$/.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? undefined : ms * MICROS_PER_MS;
  });
}

/** Milliseconds since 1970 as decimal text, to microseconds. */
export function epochMs(...path: Path): Rule<number | null> {
  return fitted(path, (value) =>
    /^\d+(?:\.\d+)?$/.test(value) ? safe(Math.floor(Number(value) * MICROS_PER_MS)) : undefined,
  );
}

/** `YYYY-MM-DD`, of a day that exists. */
export function day(...path: Path): Rule<string | null> {
  return fitted(path, (value) => {
    const ms = /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value) ? undefined : value;
  });
}

/** A list of texts; what is no list does not fit. */
export function texts(...path: Path): Rule<readonly string[]> {
  return {
    from: [path],
    read(reading) {
      const value = valueAt(reading.record, path);
      if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
      if (value !== undefined && value !== null && value !== '') reading.misfits.push(path);
      return [];
    },
  };
}

/** Any value as JSON text; nothing, or an empty object or list, is null. */
export function json(...path: Path): Rule<string | null> {
  return {
    from: [path],
    read({ record }) {
      const value = valueAt(record, path);
      if (value === undefined || value === null || value === '') return null;
      const written = JSON.stringify(value);
      return written === '{}' || written === '[]' ? null : written;
    },
  };
}

/** `convert` answers undefined for what does not fit. */
function fitted<T>(path: Path, convert: (value: string) => T | undefined): Rule<T | null> {
  const from = [path];
  return {
    from,
    read(reading) {
      const value = textAt(reading.record, path);
      if (value === null) return null;
      const converted = convert(value);
      if (converted !== undefined) return converted;
      reading.misfits.push(path);
      return null;
    },
  };
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}
