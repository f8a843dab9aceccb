/**
 * Configuration is declared, not read: each entry has a kind, a default, and one sentence. `parseConfig` reports every
 * fault at once and says what would be right. The manual is generated from the same declarations.
 */
interface Common {
  readonly doc: string;
  /** Never shown, logged or put into a message. */
  readonly secret?: boolean;
}

export interface TextEntry extends Common {
  readonly kind: 'text';
  /** `null`: optional, absent is null. Not given: required. */
  readonly default?: string | null;
  readonly choices?: readonly string[];
}
export interface UrlEntry extends Common {
  readonly kind: 'url';
  readonly default?: string | null;
}
export interface IntegerEntry extends Common {
  readonly kind: 'integer';
  readonly unit: string;
  readonly default?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}
export interface BooleanEntry extends Common {
  readonly kind: 'boolean';
  readonly default: boolean;
}
/** Comma-separated. */
export interface ListEntry extends Common {
  readonly kind: 'list';
  readonly default: readonly string[];
}

export type ConfigEntry = TextEntry | UrlEntry | IntegerEntry | BooleanEntry | ListEntry;
export type ConfigSpec = Readonly<Record<string, ConfigEntry>>;

type ValueOf<E extends ConfigEntry> = E extends { readonly kind: 'integer' }
  ? number
  : E extends { readonly kind: 'boolean' }
    ? boolean
    : E extends { readonly kind: 'list' }
      ? readonly string[]
      : E extends { readonly default: null }
        ? string | null
        : string;

export type ConfigOf<S extends ConfigSpec> = { readonly [K in keyof S]: ValueOf<S[K]> };

export type ParsedConfig<S extends ConfigSpec> =
  { readonly ok: true; readonly config: ConfigOf<S> } | { readonly ok: false; readonly faults: readonly string[] };

/** `salesforce.instanceUrl` is set by `TRIBUTARY_SALESFORCE_INSTANCE_URL`. */
export function environmentName(name: string): string {
  return `TRIBUTARY_${name
    .replaceAll('.', '_')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()}`;
}

/** Takes the values by entry name as text; absent or empty text means the default. */
export function parseConfig<const S extends ConfigSpec>(
  spec: S,
  values: Readonly<Record<string, string | undefined>>,
): ParsedConfig<S> {
  const faults: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(spec)) {
    const parsed = parseEntry(entry, values[name]);
    if (parsed.ok) config[name] = parsed.value;
    else faults.push(`${name} (${environmentName(name)}) ${parsed.fault}. ${entry.doc}`);
  }
  return faults.length === 0 ? { ok: true, config: config as ConfigOf<S> } : { ok: false, faults };
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string };

function parseEntry(entry: ConfigEntry, given: string | undefined): Parsed {
  if (given === undefined || given === '') {
    return entry.default === undefined ? { ok: false, fault: 'is required' } : { ok: true, value: entry.default };
  }
  switch (entry.kind) {
    case 'text':
      return entry.choices === undefined || entry.choices.includes(given)
        ? { ok: true, value: given }
        : { ok: false, fault: `must be one of ${entry.choices.join(', ')}` };
    case 'url':
      return URL.canParse(given)
        ? { ok: true, value: given.replace(/\/+$/, '') }
        : { ok: false, fault: 'must be an absolute URL' };
    case 'integer':
      return parseInteger(entry, given);
    case 'boolean':
      return given === 'true' || given === 'false'
        ? { ok: true, value: given === 'true' }
        : { ok: false, fault: 'must be true or false' };
    case 'list':
      return {
        ok: true,
        value: given
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      };
  }
}

function parseInteger(entry: IntegerEntry, given: string): Parsed {
  const value = Number(given);
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = entry;
  if (!/^-?\d+$/.test(given) || value < minimum || value > maximum) {
    return { ok: false, fault: `must be a whole number of ${entry.unit} from ${minimum} to ${maximum}` };
  }
  return { ok: true, value };
}
