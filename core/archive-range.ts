/** Which names to list for a stretch of time: as few prefixes as cover its hours, years before months before days. */

export interface TimeRange {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

const HOUR_MS = 3_600_000;

interface Unit {
  /** How much of `yyyy/mm/dd/hh` names one. */
  readonly letters: number;
  readonly next: (at: Date) => number;
}

const UNITS: readonly Unit[] = [
  { letters: 4, next: (at) => Date.UTC(at.getUTCFullYear() + 1) },
  { letters: 7, next: (at) => Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1) },
  { letters: 10, next: (at) => Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1) },
  { letters: 13, next: (at) => at.getTime() + HOUR_MS },
];

/** Prefixes such as `2026/11/25/`, ascending, of every hour in UTC that the range touches; they overlap nowhere. */
export function* hourPrefixes({ from, to }: TimeRange): Generator<string> {
  const end = Math.ceil(to.getTime() / HOUR_MS) * HOUR_MS;
  let at = Math.floor(from.getTime() / HOUR_MS) * HOUR_MS;
  while (at < end) {
    const { prefix, next } = widest(at, end);
    yield prefix;
    at = next;
  }
}

function widest(at: number, end: number): { readonly prefix: string; readonly next: number } {
  const text = new Date(at).toISOString().replaceAll(/[-T]/g, '/');
  for (const { letters, next } of UNITS) {
    const after = next(new Date(at));
    if (startsUnit(text, letters) && after <= end) return { prefix: `${text.slice(0, letters)}/`, next: after };
  }
  return { prefix: `${text.slice(0, 13)}/`, next: at + HOUR_MS };
}

/** Whether a year, month or day begins at that hour. */
function startsUnit(text: string, letters: number): boolean {
  return '0000/01/01/00'.slice(letters) === text.slice(letters, 13);
}
