/**
 * `_CHANGE_SEQUENCE_NUMBER`: one to four sections with slashes between, each of one to sixteen hexadecimal digits,
 * compared section by section as unsigned numbers. Of two that agree as far as the shorter one goes, the longer is greater.
 */
import { BadValue } from '../store/values.ts';

const FORMAT = /^[0-9a-fA-F]{1,16}(\/[0-9a-fA-F]{1,16}){0,3}$/;

/** Text that sorts, byte by byte, as the sequence numbers do. Changes without one sort before all that have one. */
export function sortable(sequence: string): string {
  if (!FORMAT.test(sequence))
    throw new BadValue(
      'Invalid _CHANGE_SEQUENCE_NUMBER: it must be 1 to 4 sections separated by "/", each of 1 to 16 hexadecimal digits',
    );
  let padded = '';
  for (const section of sequence.split('/')) padded += section.padStart(16, '0');
  return padded.toLowerCase();
}

export const WITHOUT_SEQUENCE = '';
