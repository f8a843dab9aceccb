/**
 * Which read first showed a change. The settled read mostly finds what the prompt read has published already: its event
 * must be published all the same (its version is greater), but it is not when the change arrived, and the lag from commit
 * to row must not be counted by it. Where the prompt read came too early, the settled one is the first that shows it.
 */
import { hash } from 'node:crypto';

export interface FirstSight {
  /** The change's time if this image is its first sight, else null. */
  of(key: string, changedAtMicros: number | null, image: string | null): number | null;
}

/** As many records as hints may be held for, twice over; one that is forgotten too early is counted twice. */
const MOST_REMEMBERED = 40_000;

export function firstSights(mostRemembered = MOST_REMEMBERED): FirstSight {
  const shown = new Map<string, string>();
  return {
    of(key, changedAtMicros, image) {
      const print = `${changedAtMicros ?? ''} ${image === null ? '' : hash('sha1', image, 'base64')}`;
      const isNew = shown.get(key) !== print;
      shown.delete(key);
      shown.set(key, print);
      if (shown.size > mostRemembered) shown.delete(shown.keys().next().value ?? '');
      return isNew ? changedAtMicros : null;
    },
  };
}
