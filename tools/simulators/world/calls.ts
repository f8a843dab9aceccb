/**
 * The company's telephone calls, with the truth of who called: history made by index from the seed, and calls made live.
 * A telephone vendor gives them its own dress; ids leave room for further legs (`id + 1` to `id + 9`).
 */
import { accountIndexOf, directLine, hasMobile, isDuplicate, mobile, phoneUse } from './generate/contact.ts';
import { hasPhone, isConverted, leadLine } from './generate/lead.ts';
import { isDeletedAtFirst } from './generate/common.ts';
import { mainLine } from './generate/account.ts';
import { SALTS } from './generate/salts.ts';
import { staffOf, type Staff } from './generate/user.ts';
import { recordId } from './ids.ts';
import type { Entry } from './model.ts';
import { e164, numberOf, spaceSize } from './numbers.ts';
import { LINES } from './pools.ts';
import { countryOf, Row, type Shape } from './row.ts';

export interface PhoneCall {
  /** Decimal text; ids rise with time. */
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly course: 'answered' | 'missed' | 'voicemail';
  /** E.164, or `anonymous`. */
  readonly externalNumber: string;
  readonly staff: Staff;
  readonly startMs: number;
  readonly ringMs: number;
  readonly talkMs: number;
  readonly isInternal: boolean;
  readonly isRecorded: boolean;
  /** What was said, one line a speaker in turn; null where nothing was transcribed. */
  readonly lines: readonly string[] | null;
}

/**
 * Who really called. `matched`: the number is one person's alone. `shared-line`: somebody behind the account's main line,
 * which only the truth knows. `unknown`: in no record at the time. `internal`: a colleague.
 */
export interface CallTruth {
  readonly callId: string;
  readonly kind: 'matched' | 'shared-line' | 'unknown' | 'internal';
  readonly contactId: string | null;
  readonly leadId: string | null;
  readonly accountId: string | null;
}

interface Company {
  readonly shape: Shape;
  readonly now: () => number;
  /** For the journal. */
  tell(entry: Entry): void;
}

const FIRST_ID = 5_600_000_000_000_000;
const STEP = 10;

export class CallBook {
  /** Calls before life began; their indexes come first. */
  readonly historicCount: number;
  readonly #company: Company;
  readonly #live: { readonly call: PhoneCall; truth: CallTruth }[] = [];
  readonly #listeners: ((call: PhoneCall, truth: CallTruth) => void)[] = [];

  constructor(company: Company) {
    this.#company = company;
    this.historicCount = company.shape.calls;
  }

  get count(): number {
    return this.historicCount + this.#live.length;
  }

  /** The call by index, oldest first. */
  at(index: number): PhoneCall {
    return this.#live[index - this.historicCount]?.call ?? historicCall(index, this.#company.shape).call;
  }

  truthAt(index: number): CallTruth {
    return this.#live[index - this.historicCount]?.truth ?? historicCall(index, this.#company.shape).truth;
  }

  /** The truth of a call, by its id or the id of one of its legs. */
  truthOf(callId: string): CallTruth | undefined {
    const index = Math.floor((Number(callId) - FIRST_ID) / STEP);
    return index >= 0 && index < this.count ? this.truthAt(index) : undefined;
  }

  onCall(listener: (call: PhoneCall, truth: CallTruth) => void): void {
    this.#listeners.push(listener);
  }

  /** Makes a call now from somebody picked by `pick` (any whole number). */
  place(pick: number, nowMs = this.#company.now()): PhoneCall {
    const index = this.count;
    const row = new Row(this.#company.shape, SALTS.call).set(pick);
    const { call, truth } = callFrom(row, index, nowMs);
    this.#live.push({ call, truth });
    this.#company.tell({ kind: 'call', ms: nowMs, pick });
    for (const listener of this.#listeners) listener(call, truth);
    return call;
  }

  /** A stranger who called became a contact: from now on the truth names them. */
  identify(callId: string, contactId: string, accountId: string | null): void {
    const index = this.count - 1 - [...this.#live].reverse().findIndex(({ call }) => call.id === callId);
    const live = this.#live[index - this.historicCount];
    this.#company.tell({ kind: 'identify', callId, contactId, accountId });
    if (live !== undefined) live.truth = { ...live.truth, kind: 'matched', contactId, accountId };
  }
}

function historicCall(index: number, shape: Shape) {
  // Spread over the ninety days before life began, in order.
  const spanMs = 90 * 86_400_000;
  const startMs = shape.epochMs - spanMs + Math.floor((index / shape.calls) * (spanMs - 7_200_000));
  return callFrom(new Row(shape, SALTS.call).set(index), index, startMs);
}

function callFrom(row: Row, index: number, startMs: number): { readonly call: PhoneCall; readonly truth: CallTruth } {
  const { shape } = row;
  const { number, ...who } = caller(row);
  const course = row.pick(['answered', 'answered', 'answered', 'answered', 'missed', 'voicemail'] as const, 2);
  const call: PhoneCall = {
    id: String(FIRST_ID + index * STEP),
    direction: row.perMille(600, 3) ? 'inbound' : 'outbound',
    course,
    externalNumber: number,
    staff: staffOf(row.mix(4) % shape.users, shape),
    startMs,
    ringMs: 2_000 + (row.mix(5) % 20_000),
    talkMs: course === 'missed' ? 0 : 5_000 + (row.mix(6) % 1_200_000),
    isInternal: who.kind === 'internal',
    isRecorded: course === 'answered' && row.perMille(300, 7),
    lines: course === 'answered' && row.perMille(250, 8) ? LINES.slice(0, 2 + (row.mix(9) % 5)) : null,
  };
  return { call, truth: { callId: call.id, ...who } };
}

type Caller = Omit<CallTruth, 'callId'> & { readonly number: string };
const NOBODY = { contactId: null, leadId: null, accountId: null };

function caller(row: Row): Caller {
  const share = row.mix(1) % 100;
  const { shape } = row;
  if (share < 5) return { ...NOBODY, kind: 'internal', number: staffOf(row.mix(10) % shape.users, shape).phone };
  if (share < 8) return { ...NOBODY, kind: 'unknown', number: 'anonymous' };
  if (share < 20) return { ...NOBODY, kind: 'unknown', number: stranger(row) };
  if (share < 28) return leadCaller(row) ?? { ...NOBODY, kind: 'unknown', number: stranger(row) };
  return contactCaller(row, share < 42) ?? { ...NOBODY, kind: 'unknown', number: stranger(row) };
}

function stranger(row: Row): string {
  const country = countryOf(row.mix(11));
  return e164(numberOf(country, 'stranger', row.mix(12) % spaceSize(country, 'stranger'), row.shape.seed));
}

function leadCaller(row: Row): Caller | undefined {
  const lead = new Row(row.shape, SALTS.Lead).set(row.mix(13) % row.shape.leads);
  if (isDeletedAtFirst(lead) || isConverted(lead) || !hasPhone(lead)) return undefined;
  return {
    ...NOBODY,
    kind: 'matched',
    leadId: recordId('Lead', lead.index),
    number: e164(leadLine(lead.index, row.shape)),
  };
}

/** A contact whose number is theirs alone, or one behind the main line; tries a few, since not everyone has such a number. */
function contactCaller(row: Row, isShared: boolean): Caller | undefined {
  const { shape } = row;
  const contact = new Row(shape, SALTS.Contact);
  const next = new Row(shape, SALTS.Contact);
  for (let attempt = 0; attempt < 12; attempt++) {
    contact.set(row.mix(20 + attempt) % shape.contacts);
    const { index } = contact;
    const hasTwin = isDuplicate(contact) || (index + 1 < shape.contacts && isDuplicate(next.set(index + 1)));
    if (isDeletedAtFirst(contact) || hasTwin || contact.perMille(30, 3)) continue;
    const account = accountIndexOf(index, shape);
    const who = { contactId: recordId('Contact', index), leadId: null, accountId: recordId('Account', account) };
    const use = phoneUse(contact);
    if (isShared && (use === 'main' || use === 'extension'))
      return { ...who, kind: 'shared-line', number: e164(mainLine(account, shape)) };
    if (!isShared && use === 'direct') return { ...who, kind: 'matched', number: e164(directLine(index, shape)) };
    if (!isShared && hasMobile(contact)) return { ...who, kind: 'matched', number: e164(mobile(index, shape)) };
  }
  return undefined;
}
