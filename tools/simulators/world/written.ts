/** How people write a telephone number into a field: the country's habits, the habits of importers, and some that say more than a number. */
import { e164, type PhoneNumber } from './numbers.ts';

/** The same number in one of several ways, chosen by `style`. */
export function written(number: PhoneNumber, style: number): string {
  const { callingCode, groups, country } = number;
  const national = country === 'US' ? usNational(groups, style) : `0${groups.join(' ')}`;
  switch (style % 10) {
    case 0:
    case 1:
      return `+${callingCode} ${groups.join(country === 'US' ? '-' : ' ')}`;
    case 2:
    case 3:
    case 4:
      return national;
    case 5:
      return e164(number);
    case 6:
      return country === 'US' ? `1-${groups.join('-')}` : `+${callingCode} (0)${groups.join(' ')}`;
    case 7:
      return country === 'US' ? groups.join('.') : `00${callingCode} ${groups.join('-')}`;
    case 8:
      return country === 'US' ? groups.join('') : `0${groups[0]!}/${groups.slice(1).join(' ')}`;
    default:
      // A no-break space and a typographic dash, as pasted from a mail's signature.
      return `+${callingCode}\u00a0${groups.join('\u2011')}`;
  }
}

function usNational(groups: readonly string[], style: number): string {
  return style % 3 === 0 ? `${groups.join('-')}` : `(${groups[0]!}) ${groups.slice(1).join('-')}`;
}

const EXTENSIONS = [' x', ' ext. ', ' Ext ', ';ext=', ' #'];

export function withExtension(text: string, extension: number, style: number): string {
  return text + EXTENSIONS[style % EXTENSIONS.length]! + String(extension);
}

/** Longer than a phone field may be in other systems, and with the number somewhere in it. (Salesforce phone: 40 characters.) */
export function essay(number: PhoneNumber, style: number): string {
  const text = `${written(number, style)} - only after 3 pm, "Jo"`;
  return text.slice(0, 40).trimEnd();
}

const NO_NUMBER = ['n/a', 'see notes', '-', 'unknown', '555-0100', '0', 'ask reception', '+1', '1234'];

export function noNumber(style: number): string {
  return NO_NUMBER[style % NO_NUMBER.length]!;
}
