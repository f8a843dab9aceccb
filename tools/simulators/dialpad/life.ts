/**
 * How a call goes: a script becomes steps, each of which changes the leg and is reported as one event. The same steps make
 * the history (all at once, in the past) and the live calls (as time goes on).
 *
 *     answered    calling ─▶ ringing ─▶ connected ─▶ hangup ─▶ recording ─▶ call_transcription ─▶ recap_summary ─▶ …
 *     missed      calling ─▶ ringing ─▶ missed
 *     voicemail   calling ─▶ ringing ─▶ voicemail ─▶ hangup ─▶ voicemail_uploaded
 *     blocked     blocked
 *     transfer    a second leg with an id of its own, `master_call_id` the first leg's
 *     department  an entry-point leg (queued), then the operator's leg, `entry_point_call_id` the first leg's
 */
import type { Call, Party, Recording, TranscriptLine } from './model.ts';

export interface CallScript {
  /** Decimal text; further legs get the ids after it. */
  readonly callId: string;
  readonly course: 'answered' | 'missed' | 'voicemail' | 'blocked';
  readonly direction: 'inbound' | 'outbound';
  readonly externalNumber: string;
  readonly contact: Party | null;
  readonly user: Party;
  /** The call came to a department first. */
  readonly department?: Party;
  /** The call was passed on to this user after half of the talk. */
  readonly transferTo?: Party;
  readonly startMs: number;
  readonly ringMs: number;
  readonly talkMs: number;
  readonly isInternal?: boolean;
  readonly recorded?: boolean;
  /** What was said; gives a transcript and recaps. */
  readonly lines?: readonly string[];
  readonly disposition?: string;
}

export interface Step {
  readonly leg: Call;
  readonly state: string;
  /** From the start of the script. */
  readonly offsetMs: number;
  /** What the event says beyond the call. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Changes the leg; `nowMs` is when the step happens. */
  readonly apply: (nowMs: number) => void;
}

/** How long the vendor takes to produce what comes after a call. */
const RECORDING_MS = 4_000;
const TRANSCRIPT_MS = 9_000;
const RECAP_MS = 12_000;

export function stepsOf(script: CallScript): Step[] {
  const entry = script.department === undefined ? null : newLeg(script, '0', script.department, {});
  const links = entry === null ? {} : { entryPointCallId: entry.id };
  const first = newLeg(script, entry === null ? '0' : '1', script.user, links);
  const steps = entry === null ? [] : entrySteps(script, entry, first);
  if (script.course === 'blocked') return [...steps, conclusion(first, 'blocked', 0)];
  steps.push(
    change(first, 'calling', 0),
    change(first, 'ringing', script.ringMs / 10, (now) => (first.rangMs = now)),
  );
  return [...steps, ...courseSteps(script, first)].toSorted((a, b) => a.offsetMs - b.offsetMs);
}

function courseSteps(script: CallScript, leg: Call): Step[] {
  const { ringMs, talkMs } = script;
  switch (script.course) {
    case 'blocked':
      return [];
    case 'missed':
      return [conclusion(leg, 'missed', ringMs)];
    case 'voicemail':
      return [
        change(leg, 'voicemail', ringMs),
        conclusion(leg, 'hangup', ringMs + talkMs),
        ...voicemailSteps(script, leg),
      ];
    case 'answered':
      return [connection(script, leg, ringMs), ...answeredSteps(script, leg)];
  }
}

function answeredSteps(script: CallScript, leg: Call): Step[] {
  const { ringMs, talkMs, transferTo } = script;
  if (transferTo === undefined)
    return [conclusion(leg, 'hangup', ringMs + talkMs), ...productSteps(script, leg, ringMs + talkMs)];
  const passedMs = ringMs + Math.floor(talkMs / 2);
  const second = newLeg(script, '2', transferTo, { masterCallId: leg.id });
  return [
    change(leg, 'hold', passedMs - Math.floor(talkMs / 8), () => (leg.holdMs = Math.floor(talkMs / 8))),
    conclusion(leg, 'hangup', passedMs, () => (leg.isTransferred = true)),
    change(second, 'calling', passedMs, (now) => (second.startedMs = now)),
    connection(script, second, passedMs + 50),
    conclusion(second, 'hangup', ringMs + talkMs),
    ...productSteps(script, second, ringMs + talkMs),
  ];
}

/** The entry-point leg rings as long as nobody takes the call, and ends with it. */
function entrySteps(script: CallScript, entry: Call, operator: Call): Step[] {
  const endMs = script.ringMs + (script.course === 'missed' ? 0 : script.talkMs);
  return [
    change(entry, 'calling', 0),
    change(entry, 'queued', 0, (now) => (entry.queuedMs = now)),
    conclusion(
      entry,
      script.course === 'missed' ? 'missed' : 'hangup',
      endMs,
      () => (entry.operatorCallId = operator.id),
    ),
  ];
}

function productSteps(script: CallScript, leg: Call, endMs: number): Step[] {
  const steps: Step[] = [];
  const { lines, disposition } = script;
  if (script.recorded)
    steps.push(product(leg, 'recording', endMs + RECORDING_MS, {}, (now) => record(leg, 'callrecording', now)));
  if (lines !== undefined) {
    steps.push(
      product(leg, 'call_transcription', endMs + TRANSCRIPT_MS, {}, () => (leg.transcript = transcript(leg, lines))),
    );
    steps.push(
      product(leg, 'recap_summary', endMs + RECAP_MS, { recap_summary: `They spoke about: ${lines[0] ?? ''}` }),
    );
    steps.push(product(leg, 'recap_action_items', endMs + RECAP_MS, { recap_action_items: ['Send the offer'] }));
  }
  if (disposition !== undefined)
    steps.push(product(leg, 'dispositions', endMs + RECAP_MS, { disposition: { name: disposition, notes: '' } }));
  return steps;
}

function voicemailSteps({ ringMs, talkMs }: CallScript, leg: Call): Step[] {
  return [
    product(leg, 'voicemail_uploaded', ringMs + talkMs + RECORDING_MS, {}, (now) => {
      record(leg, 'voicemail', now);
      leg.voicemailUrl = leg.recordings[0]?.url ?? null;
    }),
  ];
}

function change(leg: Call, state: string, offsetMs: number, apply: (nowMs: number) => void = () => undefined): Step {
  return {
    leg,
    state,
    offsetMs: Math.round(offsetMs),
    apply(nowMs) {
      apply(nowMs);
      leg.state = state;
      leg.stateMs = nowMs;
    },
  };
}

function connection(script: CallScript, leg: Call, offsetMs: number): Step {
  return change(leg, 'connected', offsetMs, (nowMs) => {
    leg.connectedMs = nowMs;
    leg.wasRecorded = script.recorded ?? false;
  });
}

function conclusion(leg: Call, state: string, offsetMs: number, apply: () => void = () => undefined): Step {
  return change(leg, state, offsetMs, (nowMs) => {
    leg.endedMs = nowMs;
    if (leg.connectedMs !== null) leg.mosScore = 4.3;
    apply();
  });
}

/** What a call produced is reported by its own state; the call's own stays as it was. */
function product(
  leg: Call,
  state: string,
  offsetMs: number,
  more: Readonly<Record<string, unknown>>,
  apply: (nowMs: number) => void = () => undefined,
): Step {
  return { leg, state, offsetMs, more, apply };
}

function record(leg: Call, type: Recording['type'], nowMs: number): void {
  const id = `rec-${leg.id}-${leg.recordings.length + 1}`;
  const startMs = leg.connectedMs ?? leg.startedMs;
  const durationMs = (leg.endedMs ?? nowMs) - startMs;
  const url = `https://dialpad.example.com/recordings/${id}`;
  leg.recordings = [...leg.recordings, { id, url, durationMs, startMs, type }];
}

function transcript(leg: Call, lines: readonly string[]): TranscriptLine[] {
  const startMs = leg.connectedMs ?? leg.startedMs;
  return lines.map((text, index) => ({
    speaker: index % 2 === 0 ? 'user' : 'contact',
    atMs: startMs + index * 1_000,
    text,
  }));
}

type Links = Partial<Pick<Call, 'entryPointCallId' | 'masterCallId'>>;

function newLeg(script: CallScript, legNumber: string, target: Party, links: Links): Call {
  return {
    id: String(BigInt(script.callId) + BigInt(legNumber)),
    direction: script.direction,
    externalNumber: script.externalNumber,
    internalNumber: target.phone,
    contact: script.contact,
    target,
    entryPointTarget: script.department ?? null,
    entryPointCallId: links.entryPointCallId ?? null,
    masterCallId: links.masterCallId ?? null,
    operatorCallId: null,
    groupId: script.department === undefined ? null : `Department:${script.department.id}`,
    isInternal: script.isInternal ?? false,
    isTransferred: false,
    startedMs: script.startMs,
    rangMs: null,
    queuedMs: null,
    connectedMs: null,
    endedMs: null,
    holdMs: 0,
    state: 'calling',
    stateMs: script.startMs,
    wasRecorded: false,
    recordings: [],
    transcript: null,
    voicemailUrl: null,
    labels: [],
    csatScore: null,
    mosScore: null,
    customData: null,
  };
}
