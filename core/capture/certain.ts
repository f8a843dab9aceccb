import { MICROS_PER_SECOND } from '../clock.ts';

/** Longer than any lag of reads, any open transaction and any difference between clocks, together: after it a read shows the change. */
export const CERTAIN_MICROS = 60 * MICROS_PER_SECOND;
