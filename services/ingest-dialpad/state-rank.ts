/**
 * What a call's state says. The rank orders states that the source stamped with the same millisecond; between different
 * times the time decides. The vocabulary is open and from the vendor's API description; the order is ours: as a call
 * goes, so that its conclusion wins over all that leads to it.
 */
export type Subject = 'call' | 'call_recording' | 'call_transcript' | 'call_recap' | 'call_disposition';

interface StateMeaning {
  /** 0 to 999, so that a millisecond × 1000 + rank keeps the order of times. */
  readonly rank: number;
  /** Whose row the state's event is about: the call's own, or that of something the call produced. */
  readonly subject: Subject;
}

const STATES: Readonly<Record<string, StateMeaning>> = {
  ...calls({ calling: 100, queued: 200, preanswer: 250, ringing: 300, connected: 400, merged: 450, hold: 500 }),
  ...calls({ parked: 510, monitor: 520, eavesdrop: 530, barge: 540, takeover: 550, admin: 560 }),
  ...calls({ voicemail: 700, missed: 750, blocked: 760, hangup: 800, postcall: 850, csat: 860, pcsat: 870 }),
  recording: { rank: 900, subject: 'call_recording' },
  admin_recording: { rank: 901, subject: 'call_recording' },
  voicemail_uploaded: { rank: 902, subject: 'call_recording' },
  transcription: { rank: 910, subject: 'call_transcript' },
  call_transcription: { rank: 911, subject: 'call_transcript' },
  ai_playbook: { rank: 920, subject: 'call_recap' },
  dispositions: { rank: 930, subject: 'call_disposition' },
};

/** A state we do not know wins over all that leads to a conclusion and over no conclusion. */
const UNKNOWN: StateMeaning = { rank: 600, subject: 'call' };
/** The recap states share one rank: each kind of recap is a row of its own. */
const RECAP: StateMeaning = { rank: 920, subject: 'call_recap' };

export function stateMeaning(state: string | null): StateMeaning {
  if (state === null) return UNKNOWN;
  if (state.startsWith('recap_')) return RECAP;
  return Object.hasOwn(STATES, state) ? (STATES[state] ?? UNKNOWN) : UNKNOWN;
}

function calls(ranks: Readonly<Record<string, number>>): Record<string, StateMeaning> {
  return Object.fromEntries(Object.entries(ranks).map(([state, rank]) => [state, { rank, subject: 'call' }]));
}
