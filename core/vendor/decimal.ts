/**
 * One text for one number: no exponent, no plus sign, no leading zeros, no trailing zeros after the point, no negative
 * zero. Text that is not a decimal number is answered as it is.
 */
const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/;
const DECIMAL = /^([+-]?)0*(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

export function plainDecimal(text: string): string {
  if (PLAIN.test(text)) return text === '-0' ? '0' : text;
  const match = DECIMAL.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole + fraction === '' && !/\d/.test(text)) return text;
  const shifted = shift(whole, fraction, Number(exponent));
  return shifted === '0' || sign !== '-' ? shifted : `-${shifted}`;
}

/** Moves the point by `places` and trims zeros on both sides. */
function shift(whole: string, fraction: string, places: number): string {
  const digits = whole + fraction;
  const point = whole.length + places;
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '';
  const after = point < 0 ? digits.padStart(digits.length - point, '0') : digits.slice(point);
  const integer = before.replace(/^0+/, '') || '0';
  const rest = after.replace(/0+$/, '');
  return rest === '' ? integer : `${integer}.${rest}`;
}
