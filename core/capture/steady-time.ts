/**
 * A time line that never steps back, made from wall-clock readings: when the wall clock is set back, what was due in a
 * second stays due in a second. (Set forward, it follows: things fall due early, and the poll repairs what was read too soon.)
 */
export interface SteadyTime {
  /** Takes a reading of the wall clock; answers the steady time of it. */
  at(wallMicros: number): number;
  /** Steady minus wall, now: to convert other wall times taken under the same setting of the clock. */
  readonly offsetMicros: number;
}

export function steadyTime(): SteadyTime {
  let last = Number.NEGATIVE_INFINITY;
  let offset = 0;
  return {
    at(wallMicros) {
      if (wallMicros + offset < last) offset = last - wallMicros;
      last = wallMicros + offset;
      return last;
    },
    get offsetMicros() {
      return offset;
    },
  };
}
