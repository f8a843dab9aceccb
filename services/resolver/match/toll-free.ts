/** Numbers whose calls the called party pays belong to a company's line, never to one person. Prefixes by national plan. */
const PREFIXES = ['+800', '+44800', '+44808', '+49800', '+33800', '+33805', '+61180', '+39800', '+34900', '+31800'];
const NORTH_AMERICA = /^\+18(?:00|33|44|55|66|77|88)\d{7}$/;

export function isTollFree(e164: string): boolean {
  return NORTH_AMERICA.test(e164) || PREFIXES.some((prefix) => e164.startsWith(prefix));
}
