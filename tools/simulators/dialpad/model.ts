/** What the simulated Dialpad company holds: people, departments and calls, as the vendor's API description names them. */
export interface Party {
  readonly id: string;
  /** user, department, office, callcenter, local, shared … */
  readonly type: string;
  readonly email: string;
  readonly phone: string;
  readonly name: string;
}

export interface Recording {
  readonly id: string;
  readonly url: string;
  readonly durationMs: number;
  readonly startMs: number;
  readonly type: 'admincallrecording' | 'callrecording' | 'voicemail';
}

export interface TranscriptLine {
  readonly speaker: 'contact' | 'user';
  readonly atMs: number;
  readonly text: string;
}

/** One leg. Times are milliseconds since 1970; a leg changes as the call goes on. */
export interface Call {
  /** Decimal text of an int64: 1 to 19 digits. */
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  /** E.164, or a word such as `blocked` when the caller hides it. */
  readonly externalNumber: string;
  readonly internalNumber: string;
  readonly contact: Party | null;
  target: Party;
  readonly entryPointTarget: Party | null;
  readonly entryPointCallId: string | null;
  readonly masterCallId: string | null;
  operatorCallId: string | null;
  readonly groupId: string | null;
  readonly isInternal: boolean;
  isTransferred: boolean;
  startedMs: number;
  rangMs: number | null;
  queuedMs: number | null;
  connectedMs: number | null;
  endedMs: number | null;
  holdMs: number;
  state: string;
  /** When the state was entered. */
  stateMs: number;
  wasRecorded: boolean;
  recordings: readonly Recording[];
  transcript: readonly TranscriptLine[] | null;
  voicemailUrl: string | null;
  labels: readonly string[];
  csatScore: string | null;
  mosScore: number | null;
  customData: string | null;
}

export interface User {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phone: string;
  readonly state: 'active' | 'suspended' | 'deleted' | 'pending' | 'cancelled';
  readonly officeId: string;
  readonly isAdmin: boolean;
}

export interface Department {
  readonly id: string;
  readonly name: string;
  readonly phone: string;
}

/** States in which a call is over: from then on the list of calls shows it. */
export const CONCLUDING = new Set(['hangup', 'missed', 'blocked']);

export function partyOfUser(user: User): Party {
  return {
    id: user.id,
    type: 'user',
    email: user.email,
    phone: user.phone,
    name: `${user.firstName} ${user.lastName}`,
  };
}
