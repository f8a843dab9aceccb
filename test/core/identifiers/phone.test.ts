import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createPhoneParser, type CountryHint } from '#core/identifiers/phone.ts';

const FROM_US = createPhoneParser({ defaultCountry: 'US', cacheEntries: 1_000 });
const FROM_NOWHERE = createPhoneParser({ defaultCountry: null, cacheEntries: 1_000 });

function record(country: string): readonly CountryHint[] {
  return [{ country, reason: 'record' }];
}

describe('what is not a number stays as it was, with the reason', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['anonymous', 'withheld'],
    ['  Blocked ', 'withheld'],
    ['No Caller ID', 'withheld'],
    ['+266696687', 'withheld'],
    ['911', 'short_code'],
    ['4-2-1', 'short_code'],
    ['2222222222', 'implausible'],
    ['+1 222 222 2222', 'implausible'],
    ['123 456 7890', 'implausible'],
    ['+1 (234) 567-8901', 'implausible'],
    ['+1 999 555 0100', 'no_such_number'],
    ['213 555 01', 'no_such_number'],
    ['+1 213 555 0100 or +1 213 555 0101', 'not_a_number'],
    ['call me', 'not_a_number'],
    ['n/a', 'not_a_number'],
    ['++12135550100', 'not_a_number'],
    ['2135550100@voice.example', 'not_a_number'],
    ['+', 'not_a_number'],
    ['\u200b', 'not_a_number'],
    ['+12135550100'.repeat(20), 'too_long'],
  ];
  it.each(cases)('%j is %s', (raw, reason) => {
    expect(FROM_US.parse(raw, [])).toEqual({ raw, valid: false, e164: null, extension: null, country: null, reason });
  });

  it('is null for an absent or blank field', () => {
    for (const raw of [null, '', ' ', '\t\n', '\u00a0', ' '.repeat(100_000)]) expect(FROM_US.parse(raw, [])).toBeNull();
  });

  it('keeps an essay whole and does not look at it', () => {
    const essay = 'Please call after five, my number is +1 213 555 0100. '.repeat(2_000);
    expect(FROM_US.parse(essay, [])).toMatchObject({ raw: essay, valid: false, reason: 'too_long' });
  });
});

describe('a number that says its country is never read as another one', () => {
  const cases: readonly (readonly [string, string, string | null])[] = [
    ['+12135550100', '+12135550100', 'US'],
    ['+1 (415) 555-0123', '+14155550123', 'US'],
    ['+1-416-555-0123', '+14165550123', 'CA'],
    ['＋44 20 7183 8750', '+442071838750', 'GB'],
    ['(+44) 20 7183 8750', '+442071838750', 'GB'],
    ['+44 (0) 20 7183 8750', '+442071838750', 'GB'],
    ['00442071838750', '+442071838750', 'GB'],
    ['(0044) 20 7183 8750', '+442071838750', 'GB'],
    ['0039 06 69812345', '+390669812345', 'VA'],
    ['+39 06 4567 8901', '+390645678901', 'IT'],
    ['011 39 06 4567 8901', '+390645678901', 'IT'],
    ['tel:+49-30-901820', '+4930901820', 'DE'],
    ['Tel.: +49 30 901820', '+4930901820', 'DE'],
    ['\u202a+49 30 901820\u202c', '+4930901820', 'DE'],
    ['+54 11 15 2345-6789', '+5491123456789', 'AR'],
    ['+52 1 55 1234 5678', '+525512345678', 'MX'],
    ['+5215512345678', '+525512345678', 'MX'],
    ['+1-800-FLOWERS', '+18003569377', null],
    ['+800 1234 5679', '+80012345679', null],
    ['+٤٤٢٠٧١٨٣٨٧٥٠', '+442071838750', 'GB'],
  ];
  it.each(cases)('%j is %s', (raw, e164, country) => {
    const phone = FROM_US.parse(raw, record('US'));
    expect(phone).toMatchObject({ raw, valid: true, e164, reason: 'explicit' });
    if (country !== null) expect(phone?.country).toBe(country);
  });

  it('does not try the hints when the explicit number is invalid', () => {
    expect(FROM_US.parse('+07700900123', record('GB'))?.valid).toBe(false);
  });
});

describe('a national number needs somebody who says the country', () => {
  it('is of no country when nobody does', () => {
    for (const raw of ['(213) 555-0100', '020 7183 8750', '011 39 06 4567 8901', '1-800-FLOWERS', '011 4321-1234']) {
      expect(FROM_NOWHERE.parse(raw, [])).toMatchObject({ raw, valid: false, reason: 'no_country' });
    }
  });

  const account = (country: string): CountryHint => ({ country, reason: 'account' });
  const cases: readonly (readonly [string, readonly CountryHint[], string | null, string])[] = [
    ['020 7183 8750', record('GB'), '+442071838750', 'record'],
    ['07911 123456', [], null, 'no_such_number'],
    ['07911 123456', record('GB'), '+447911123456', 'record'],
    ['(213) 555-0100', [], '+12135550100', 'default'],
    ['1 (213) 555-0100', [], '+12135550100', 'default'],
    ['213.555.0100', record('CA'), '+12135550100', 'record'],
    ['(213) 555-0100', [...record('GB'), account('US')], '+12135550100', 'account'],
    ['(213) 555-0100', record('GB'), null, 'no_such_number'],
    ['(213) 555-0100', [...record('GB'), { country: 'US', reason: 'default' }], null, 'no_such_number'],
    ['06 4567 8901', record('IT'), '+390645678901', 'record'],
    ['011 15 2345-6789', record('AR'), '+5491123456789', 'record'],
    ['044 55 1234 5678', record('MX'), '+525512345678', 'record'],
    ['01 55 1234 5678', record('MX'), '+525512345678', 'record'],
    ['8 (495) 123-45-67', record('RU'), '+74951234567', 'record'],
    ['1-800-FLOWERS', record('US'), '+18003569377', 'record'],
    ['1-800-FLOWERS ext 12', record('US'), null, 'not_a_number'],
    ['0011 44 20 7183 8750', record('AU'), '+442071838750', 'explicit'],
    ['213 555 HOME', record('US'), null, 'not_a_number'],
    ['(213) 555-0100', record('AQ'), null, 'no_country'],
    ['(213) 555-0100', record('nowhere'), null, 'no_country'],
  ];
  it.each(cases)('%j with %j is %s (%s)', (raw, hints, e164, reason) => {
    expect(FROM_US.parse(raw, hints)).toMatchObject({ raw, valid: e164 !== null, e164, reason });
  });
});

describe('an extension is kept apart', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['+1 (415) 555-0123 x12', '12'],
    ['+1 (415) 555-0123 ext. 12', '12'],
    ['+1 (415) 555-0123 Extension 0042', '0042'],
    ['+14155550123#12', '12'],
    ['+14155550123;ext=12', '12'],
    ['tel:+1-415-555-0123;ext=12', '12'],
    ['+14155550123,12', '12'],
    ['+14155550123,,12#', '12'],
    ['4155550123 x 7', '7'],
  ];
  it.each(cases)('%j has %s', (raw, extension) => {
    expect(FROM_US.parse(raw, [])).toMatchObject({ e164: '+14155550123', extension, valid: true });
  });
});

describe('for any text', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'0123456789+()-., x#;=ext'), maxLength: 120 }),
    fc
      .tuple(fc.constantFrom('+1', '+44', '+39', '+54', '+52', '+49', '00', ''), fc.stringMatching(/^\d{6,13}$/))
      .map((parts) => parts.join('')),
  );
  const hints = fc.constantFrom<readonly CountryHint[]>(
    [],
    record('US'),
    record('IT'),
    record('MX'),
    record('AR'),
    record('DE'),
  );

  it('never throws, keeps the raw text, and a result parsed again is itself', () => {
    fc.assert(
      fc.property(texts, hints, (raw, given) => {
        const phone = FROM_US.parse(raw, given);
        if (phone === null) return;
        expect(phone.raw).toBe(raw);
        expect(phone.valid).toBe(phone.e164 !== null);
        if (phone.e164 === null) return;
        const again = FROM_NOWHERE.parse(phone.e164, []);
        expect(again).toMatchObject({ e164: phone.e164, country: phone.country, extension: null, reason: 'explicit' });
      }),
      { numRuns: 5_000 },
    );
  });

  it('answers the same from the cache as without one', () => {
    const uncached = createPhoneParser({ defaultCountry: 'US', cacheEntries: 0 });
    fc.assert(
      fc.property(texts, hints, (raw, given) => {
        const first = FROM_US.parse(raw, given);
        expect(FROM_US.parse(raw, given)).toEqual(first);
        expect(uncached.parse(raw, given)).toEqual(first);
      }),
      { numRuns: 1_000 },
    );
  });

  it('does bounded work on 100 KB of anything', () => {
    for (const unit of ['1', '(', '+', ' ', ',', 'x', '1 ', '.-', 'ﷺ', '00', '#1', ';ext=']) {
      for (const length of [100, 400, 100_000]) {
        const raw = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
        const started = performance.now();
        FROM_US.parse(raw, []);
        FROM_US.parse(`+1213555${raw}`, []);
        expect(performance.now() - started).toBeLessThan(500);
      }
    }
  });
});
