import { expect, it } from 'vitest';
import { plainDecimal } from '#core/vendor/decimal.ts';
import { parseExact } from '#core/vendor/json.ts';

it.each([
  ['1000.50', '1000.5'],
  ['1000.00', '1000'],
  ['1e3', '1000'],
  ['1E-3', '0.001'],
  ['-1.50e2', '-150'],
  ['-0', '0'],
  ['-0.00', '0'],
  ['007', '7'],
  ['.5', '0.5'],
  ['12345678901234567890.120', '12345678901234567890.12'],
  ['not a number', 'not a number'],
  ['', ''],
])('%s has one form: %s', (given, plain) => {
  expect(plainDecimal(given)).toBe(plain);
});

it('a number in JSON keeps every digit that was sent', () => {
  expect(parseExact('{"a":1000.50,"b":[12345678901234567890],"c":{"d":1E5,"e":true,"f":null,"g":"1.0"}}')).toEqual({
    a: '1000.5',
    b: ['12345678901234567890'],
    c: { d: '100000', e: true, f: null, g: '1.0' },
  });
});
