import { describe, expect, it } from 'vitest';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import metadata from 'libphonenumber-js/metadata.max.json';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';

/** Alternatives of a pattern that are not inside a group. */
function alternatives(pattern: string): string[] {
  const found: string[] = [''];
  let depth = 0;
  for (const character of pattern) {
    if (character === '(' || character === '[') depth++;
    if (character === ')' || character === ']') depth--;
    if (character === '|' && depth === 0) found.push('');
    else found[found.length - 1] += character;
  }
  return found;
}

describe('the short cut for North America', () => {
  it('rests on metadata in which the first four digits decide', () => {
    const FIXED_LINE = 0;
    const TOLL_FREE = 2;
    for (const country of ['US', 'CA'] as const) {
      const types = metadata.countries[country]?.[11] as unknown as readonly (readonly [string])[];
      for (const type of [FIXED_LINE, TOLL_FREE]) {
        for (const alternative of alternatives(types[type]?.[0] ?? '')) expect(alternative).toMatch(/\\d\{6\}$/);
      }
    }
  });

  it('says of every four digits what the full parse says', () => {
    const random = seededRandom(seedFromEnvironment(20261125));
    const parser = createPhoneParser({ defaultCountry: null, cacheEntries: 0 });
    for (let firstFour = 2000; firstFour < 10_000; firstFour++) {
      for (let sample = 0; sample < 3; sample++) {
        const e164 = `+1${firstFour}${String(random.below(1_000_000)).padStart(6, '0')}`;
        const full = parsePhoneNumberFromString(e164, { extract: false });
        const ours = parser.parse(e164, []);
        const expected =
          full?.isValid() === true
            ? { e164: full.number, country: full.country ?? null }
            : { e164: null, country: null };
        expect({ e164: ours?.e164, country: ours?.country }, e164).toEqual(
          ours?.reason === 'implausible' ? expect.anything() : expected,
        );
      }
    }
  });
});
