import { describe, expect, it } from 'vitest';
import { getCountries } from 'libphonenumber-js/max';
import fc from 'fast-check';
import { countryCode } from '#core/identifiers/countries.ts';

describe('countryCode', () => {
  it('is null for what is unknown, blank or could be two countries', () => {
    const texts = [
      '',
      ' ',
      'Narnia',
      'Congo',
      'Korea',
      'California',
      'US of',
      'xx',
      'x'.repeat(10_000),
      'EU',
      '12345',
      '--',
    ];
    for (const text of [null, ...texts]) expect(countryCode(text), String(text)).toBeNull();
  });

  const cases: readonly (readonly [string, string])[] = [
    ['US', 'US'],
    ['us', 'US'],
    ['USA', 'US'],
    ['U.S.A.', 'US'],
    ['United States', 'US'],
    ['United States of America', 'US'],
    ['Vereinigte Staaten', 'US'],
    ['Estados Unidos', 'US'],
    ['UK', 'GB'],
    ['England', 'GB'],
    ['United Kingdom', 'GB'],
    ['  great britain ', 'GB'],
    ['Deutschland', 'DE'],
    ['Allemagne', 'DE'],
    ['GERMANY', 'DE'],
    ['DEU', 'DE'],
    ['The Netherlands', 'NL'],
    ['Holland', 'NL'],
    ['Côte d’Ivoire', 'CI'],
    ["Cote d'Ivoire", 'CI'],
    ['Türkiye', 'TR'],
    ['Turkey', 'TR'],
    ['Czech Republic', 'CZ'],
    ['Czechia', 'CZ'],
    ['Schweiz', 'CH'],
    ['South Korea', 'KR'],
    ['Korea, Republic of', 'KR'],
    ['日本', 'JP'],
    ['Россия', 'RU'],
    ['Niger', 'NE'],
    ['Nigeria', 'NG'],
    ['Trinidad & Tobago', 'TT'],
    ['Trinidad and Tobago', 'TT'],
    ['CA', 'CA'],
  ];
  it.each(cases)('%j is %s', (text, code) => {
    expect(countryCode(text)).toBe(code);
  });

  it('knows every country with a calling code by its English name and its own code', () => {
    const english = new Intl.DisplayNames(['en'], { type: 'region' });
    for (const code of getCountries()) {
      expect(countryCode(code)).toBe(code);
      expect(countryCode(english.of(code) ?? ''), code).toBe(code);
    }
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void countryCode(text)));
  });
});
