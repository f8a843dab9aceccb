/**
 * Which read first showed a change. The settled read mostly finds what the prompt read has published already: its event
 * must be published all the same (its version is greater), but it is not when the change arrived, and the lag from commit
 * to row must not be counted by it. Where the prompt read came too early, the settled one is the first that shows it.
 */
import { hash } from 'node:crypto';

export interface FirstSight {
  /** The change's time if this image is its first sight, else null. `isLast`: no further read of this change follows. */
  of(key: string, changedAtMicros: number | null, image: string | null, isLast: boolean): number | null;
}

/** Changes of so many records are remembered until their settled read; beyond that the oldest count twice. */
const MOST_REMEMBERED = 50_000;

export function firstSights(): FirstSight {
  const shown = new Map<string, string>();
  return {
    of(key, changedAtMicros, image, isLast) {
      const print = `${changedAtMicros ?? ''} ${image === null ? '' : hash('sha1', image, 'base64')}`;
      const isNew = shown.get(key) !== print;
      if (isLast) shown.delete(key);
      else shown.set(key, print);
      if (shown.size > MOST_REMEMBERED) shown.delete(shown.keys().next().value ?? '');
      return isNew ? changedAtMicros : null;
    },
  };
}
