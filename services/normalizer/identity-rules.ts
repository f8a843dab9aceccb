/** Rules for what identifies people: e-mail addresses, phones, and which country a phone without one may be of. */
import { countryCode } from '#core/identifiers/countries.ts';
import { parseEmail, type EmailAddress } from '#core/identifiers/email.ts';
import type { CountryHint, HintReason, PhoneParser } from '#core/identifiers/phone.ts';
import { Recent } from '#core/identifiers/recent.ts';
import type { PhoneNumber } from '#schemas/generated/types.ts';
import { textAt, type JsonObject, type Path } from './reading.ts';
import type { Rule } from './rules.ts';

/** The canonical address, or what is there instead, as it was. */
export function email(...path: Path): Rule<string | null> {
  return {
    from: [path],
    read({ record }) {
      const parsed = emailOf(textAt(record, path));
      return parsed === null ? null : (parsed.address ?? parsed.raw);
    },
  };
}

/** Whether `email` of the same path is canonical. */
export function emailValid(...path: Path): Rule<boolean | null> {
  return { from: [path], read: ({ record }) => emailOf(textAt(record, path))?.valid ?? null };
}

let last: EmailAddress | null = null;

/** The two rules of one address follow each other: it is parsed once. */
function emailOf(raw: string | null): EmailAddress | null {
  if (last === null || last.raw !== raw) last = parseEmail(raw);
  return last;
}

/** In E.164, or as it was. */
export function phone(...path: Path): Rule<string | null> {
  return {
    from: [path],
    read({ record, phones, hints }) {
      const parsed = phones.parse(textAt(record, path), hints);
      return parsed === null ? null : (parsed.e164 ?? parsed.raw);
    },
  };
}

/** All phones of the record, by the canonical name of their field. */
export function phoneList(fields: Readonly<Record<string, Path>>): Rule<readonly PhoneNumber[]> {
  const entries = Object.entries(fields);
  return {
    from: Object.values(fields),
    read({ record, phones, hints }) {
      const found: PhoneNumber[] = [];
      for (const [kind, path] of entries) {
        const parsed = phones.parse(textAt(record, path), hints);
        if (parsed === null) continue;
        const { raw, e164, extension, country, reason, valid } = parsed;
        found.push({ kind, raw, e164, extension, country, reason, valid });
      }
      return found;
    },
  };
}

export type Hints = (record: JsonObject, phones: PhoneParser) => readonly CountryHint[];

export const NO_HINTS: readonly CountryHint[] = [];

/** Countries by name or code from fields of the record, the most trusted first. Equal countries give the same list. */
export function countriesOf(...fields: readonly (readonly [HintReason, string])[]): Hints {
  const known = new Recent<readonly CountryHint[]>(1_000);
  return (record) => {
    let key = '';
    for (const [, name] of fields) key += `${countryCode(textAt(record, [name])) ?? ''}|`;
    if (key.length === fields.length) return NO_HINTS;
    let hints = known.get(key);
    if (hints === undefined) {
      hints = hintsOf(fields, key.split('|'));
      known.set(key, hints);
    }
    return hints;
  };
}

function hintsOf(fields: readonly (readonly [HintReason, string])[], codes: readonly string[]): readonly CountryHint[] {
  return fields
    .map(([reason], index): CountryHint => ({ country: codes[index] ?? '', reason }))
    .filter(({ country }, index) => country !== '' && codes.indexOf(country) === index);
}
