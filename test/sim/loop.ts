/** A discrete-event loop: actions at true times, in order of time, ties in order of arrival. */
export interface Loop {
  readonly now: number;
  at(timeMicros: number, action: () => void): void;
  after(delayMicros: number, action: () => void): void;
  /** Runs until nothing is left to do. */
  run(): void;
}

interface Timer {
  readonly time: number;
  readonly order: number;
  readonly action: () => void;
}

export function eventLoop(startMicros: number): Loop {
  const heap: Timer[] = [];
  let now = startMicros;
  let order = 0;

  const before = (a: Timer, b: Timer): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

  function push(timer: Timer): void {
    let hole = heap.length;
    heap.push(timer);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!before(timer, above)) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = timer;
  }

  function pop(): Timer | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let hole = 0;
    for (let child = 1; child < heap.length; child = hole * 2 + 1) {
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (!before(heap[child] as Timer, last)) break;
      heap[hole] = heap[child] as Timer;
      hole = child;
    }
    heap[hole] = last;
    return first;
  }

  function at(time: number, action: () => void): void {
    push({ time: Math.max(time, now), order: (order += 1), action });
  }

  return {
    get now() {
      return now;
    },
    at,
    after: (delay, action) => at(now + delay, action),
    run() {
      for (let timer = pop(); timer; timer = pop()) {
        now = timer.time;
        timer.action();
      }
    },
  };
}
