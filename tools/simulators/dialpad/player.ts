/** Plays scripts: into the past, without a word, or now, with an event for every step to every subscription that asked. */
import type { Company } from './company.ts';
import type { Faults } from './faults.ts';
import type { Hooks, Subscription } from './hooks.ts';
import { stepsOf, type CallScript, type Step } from './life.ts';
import type { Sender } from './sender.ts';
import { eventText } from './wire.ts';

export interface PlayerOptions {
  readonly company: Company;
  readonly hooks: Hooks;
  readonly sender: Sender;
  readonly faults: Faults;
  readonly random: () => number;
  /** Real milliseconds per millisecond of a script. */
  readonly pace: number;
}

export class Player {
  readonly #options: PlayerOptions;
  readonly #open = new Set<Promise<unknown>>();
  #stopped = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  /** The call has happened; `pace` as for a live one, 1 for one that took its own time. */
  history(script: CallScript, pace = 1): void {
    let lastMs = 0;
    for (const step of stepsOf(script)) {
      lastMs = timeOf(script, step, pace, lastMs);
      step.apply(lastMs);
      this.#options.company.put(step.leg);
    }
  }

  /**
   * The call happens, from its start on and at this simulator's pace. Its times follow from the script alone, so that a
   * simulator started again knows the same call. Resolves after the last step; deliveries may still be under way.
   */
  live(script: CallScript): Promise<void> {
    const played = this.#live(script);
    this.#track(played);
    return played;
  }

  /** A call is going on, or an event of one is not yet delivered or given up. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  /** Resolves when nothing is played or under way. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #live(script: CallScript): Promise<void> {
    const { company, pace, faults, random } = this.#options;
    let playedMs = 0;
    let lastMs = 0;
    for (const step of stepsOf(script)) {
      await wait((step.offsetMs - playedMs) * pace);
      if (this.#stopped) return;
      playedMs = step.offsetMs;
      // Two steps of one call have one time only where the fault asks for it: the vendor's clock counts milliseconds.
      const isEqual = lastMs > 0 && random() < faults.equalTimeRate;
      const stepMs = isEqual ? lastMs : timeOf(script, step, pace, lastMs);
      lastMs = stepMs;
      step.apply(stepMs);
      company.put(step.leg);
      this.#announce(step, stepMs);
    }
  }

  #announce({ leg, state, more }: Step, eventMs: number): void {
    const { hooks, faults, random } = this.#options;
    const endsTooEarly = state === 'ringing' && random() < faults.earlyEndRate;
    const text = eventText(leg, { state, eventMs, endsTooEarly, ...(more === undefined ? {} : { more }) });
    for (const subscription of hooks.subscriptions.values()) {
      const webhook = hooks.webhooks.get(subscription.endpointId);
      if (webhook === undefined || !wants(subscription, leg, state)) continue;
      if (random() < faults.dropRate) continue;
      const copies = random() < faults.duplicateRate ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const delayMs = random() * faults.shuffleMs;
        const send = () => this.#options.sender.send(webhook, { callId: leg.id, state, text });
        this.#track(delayMs === 0 ? send() : wait(delayMs).then(send));
      }
    }
  }

  #track(work: Promise<unknown>): void {
    this.#open.add(work);
    void work.finally(() => this.#open.delete(work));
  }
}

function timeOf({ startMs }: CallScript, { offsetMs }: Step, pace: number, lastMs: number): number {
  return Math.max(startMs + Math.round(offsetMs * pace), lastMs + 1);
}

function wants(subscription: Subscription, leg: Step['leg'], state: string): boolean {
  const { enabled, callStates, groupCallsOnly, targetId, targetType } = subscription;
  if (!enabled || (groupCallsOnly && leg.groupId === null)) return false;
  if (callStates.length > 0 && !callStates.includes('all') && !callStates.includes(state)) return false;
  if (targetId === null) return true;
  return [leg.target, leg.entryPointTarget].some((party) => party?.id === targetId && party.type === targetType);
}

function wait(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
