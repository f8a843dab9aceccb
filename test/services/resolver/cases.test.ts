/** Who it was: one case a rule and one an adversary, each in both orders of arrival. */
import { describe, expect, it } from 'vitest';
import type { Match } from '#schemas/generated/types.ts';
import { account, call, callDetail, contact, lead, phone, task, US, user, type Sent } from './kit.ts';
import { resolved } from './river.ts';

const WORK = '+12135550142';
const MOBILE = '+12135550177';
const OTHER = '+13105550123';

const withPhone = (raw: string, kind = 'phone') => ({ phones: [phone(kind, raw)] });
const ada = contact({ id: '003A', account_id: '001A', email: 'ada@acme.example', ...withPhone(WORK) });

interface Case {
  readonly claim: string;
  readonly events: readonly Sent[];
  readonly activity?: string;
  readonly expected: Partial<Match>;
}

const CASES: readonly Case[] = [
  {
    claim: 'a number that one contact holds is that contact, at their account',
    events: [ada, call({ id: '1', number: WORK })],
    expected: { outcome: 'matched', contact_id: '003A', account_id: '001A', rule: 'PHONE_P2_UNIQ', probability: 0.93 },
  },
  {
    claim: 'a mobile is surer than a work number',
    events: [contact({ id: '003A', ...withPhone(MOBILE, 'mobile_phone') }), call({ id: '1', number: MOBILE })],
    expected: { outcome: 'matched', rule: 'PHONE_P1_UNIQ', probability: 0.97, account_id: null },
  },
  {
    claim: 'an address that one contact holds is that contact',
    events: [ada, call({ id: '1', number: OTHER, email: 'Ada@ACME.example' })],
    expected: { outcome: 'matched', contact_id: '003A', rule: 'EMAIL_E1_UNIQ', probability: 0.99, confidence: 'exact' },
  },
  {
    claim: 'nobody known is unmatched',
    events: [ada, call({ id: '1', number: OTHER })],
    expected: { outcome: 'unmatched', contact_id: null, account_id: null, rule: null, alternatives: null },
  },
  {
    claim: "a company's shared line names the company, not a person",
    events: [ada, contact({ id: '003B', account_id: '001A', ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'account-only', account_id: '001A', contact_id: null, rule: 'PHONE_SHARED' },
  },
  {
    claim: 'a number shared across companies stays ambiguous: no tie is broken silently',
    events: [ada, contact({ id: '003B', account_id: '001B', ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'ambiguous', account_id: null, contact_id: null, confidence: null, rule: 'PHONE_AMBIGUOUS' },
  },
  {
    claim: 'two spouses with one mobile and no account stay ambiguous',
    events: [
      contact({ id: '003A', ...withPhone(MOBILE, 'mobile_phone') }),
      contact({ id: '003B', ...withPhone(MOBILE, 'mobile_phone') }),
      call({ id: '1', number: MOBILE }),
    ],
    expected: { outcome: 'ambiguous' },
  },
  {
    claim: 'a lead and a contact who are different people are ambiguous, neither takes precedence',
    events: [ada, lead({ id: '00QB', ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'ambiguous' },
  },
  {
    claim: "a number that is also the company's own is its main line",
    events: [ada, account({ id: '001A', ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'account-only', account_id: '001A' },
  },
  {
    claim: "a company's number that no person holds names the company",
    events: [account({ id: '001A', ...withPhone(OTHER) }), call({ id: '1', number: OTHER })],
    expected: { outcome: 'account-only', account_id: '001A', rule: 'PHONE_ACCOUNT' },
  },
  {
    claim: 'a receptionist line of 40 contacts names the company, with the first five as alternatives',
    events: [
      ...Array.from({ length: 40 }, (_, n) => contact({ id: `003${10 + n}`, account_id: '001A', ...withPhone(WORK) })),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'account-only', account_id: '001A' },
  },
  {
    claim: 'a toll-free number is never one person',
    events: [
      contact({ id: '003A', account_id: '001A', ...withPhone('+18004444444') }),
      call({ id: '1', number: '+18004444444' }),
    ],
    expected: { outcome: 'account-only', account_id: '001A' },
  },
  {
    claim: 'an extension singles a person out on the main line',
    events: [
      ada,
      contact({ id: '003B', account_id: '001A', ...withPhone(`${WORK} x12`) }),
      contact({ id: '003C', account_id: '001A', ...withPhone(`${WORK} x13`) }),
      call({ id: '1', number: `${WORK} ext. 12` }),
    ],
    expected: { outcome: 'matched', contact_id: '003B', rule: 'PHONE_P1_UNIQ', participant: `external:${WORK};12` },
  },
  {
    claim: 'the main line without extension does not name the person behind an extension of it',
    events: [
      contact({ id: '003B', account_id: '001A', ...withPhone('+1 (415) 555-0123 x12') }),
      call({ id: '1', number: '+14155550123' }),
    ],
    expected: { outcome: 'account-only', account_id: '001A', contact_id: null },
  },
  {
    claim: 'an extension nobody has names the company of the line',
    events: [ada, call({ id: '1', number: `${WORK} x99` })],
    expected: { outcome: 'account-only', account_id: '001A', contact_id: null },
  },
  {
    claim: 'a role address is never a person',
    events: [
      contact({ id: '003A', account_id: '001A', email: 'info@acme.example' }),
      call({ id: '1', email: 'info@acme.example' }),
    ],
    expected: { outcome: 'account-only', account_id: '001A', contact_id: null, rule: 'EMAIL_ROLE' },
  },
  {
    claim: 'dots matter at a company: j.doe is not jdoe',
    events: [contact({ id: '003A', email: 'jdoe@acme.example' }), call({ id: '1', email: 'j.doe@acme.example' })],
    expected: { outcome: 'unmatched' },
  },
  {
    claim: 'an address and a number of two different people contradict each other',
    events: [
      ada,
      contact({ id: '003B', account_id: '001B', ...withPhone(OTHER) }),
      call({ id: '1', number: OTHER, email: 'ada@acme.example' }),
    ],
    expected: { outcome: 'ambiguous', rule: 'CONTRADICTION' },
  },
  {
    claim: 'an address tells apart who shares the number',
    events: [
      ada,
      contact({ id: '003B', account_id: '001B', ...withPhone(WORK) }),
      call({ id: '1', number: WORK, email: 'ada@acme.example' }),
    ],
    expected: { outcome: 'matched', contact_id: '003A', rule: 'EMAIL_E1_UNIQ' },
  },
  {
    claim: 'a number of one of our users is internal',
    events: [user({ id: '005A', ...withPhone(OTHER) }), call({ id: '1', number: OTHER })],
    expected: { outcome: 'internal', user_id: '005A', rule: 'PHONE_USER' },
  },
  {
    claim: 'a number that a user and a contact hold is ambiguous',
    events: [ada, user({ id: '005A', ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'ambiguous', user_id: null, contact_id: null },
  },
  {
    claim: 'a portal user is a customer with a login, not one of us',
    events: [
      ada,
      user({ id: '005A', user_type: 'CspLitePortal', ...withPhone(WORK) }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'matched', contact_id: '003A' },
  },
  {
    claim: 'a call whose source says that both ends are ours is internal',
    events: [ada, callDetail({ id: '1', isInternal: true }), call({ id: '1', number: WORK })],
    expected: { outcome: 'internal', rule: 'SRC_INTERNAL', contact_id: null },
  },
  {
    claim: 'a withheld caller is excluded',
    events: [call({ id: '1', number: 'anonymous' })],
    expected: { outcome: 'excluded', rule: 'NO_IDENTIFIER', evidence: '[{"f":"identifier","is":"withheld"}]' },
  },
  {
    claim: 'a call without a number is excluded',
    events: [call({ id: '1' })],
    expected: { outcome: 'excluded', participant: 'external:' },
  },
  {
    claim: 'a number nobody can read is unmatched, and shown as it was',
    events: [call({ id: '1', number: '(213) 555-0142' })],
    expected: { outcome: 'unmatched', participant: 'external:(213) 555-0142' },
  },
  {
    claim: "a British number in national form is read with its account's country, whatever the default",
    events: [
      account({ id: '001A', billing_country: 'United Kingdom' }),
      contact({ id: '003A', account_id: '001A', phones: [phone('phone', '020 7946 0958', US)] }),
      call({ id: '1', number: '+442079460958' }),
    ],
    expected: { outcome: 'matched', contact_id: '003A', rule: 'PHONE_P3_UNIQ', probability: 0.85 },
  },
  {
    claim: 'an Italian zero is kept',
    events: [contact({ id: '003A', ...withPhone('0039 06 6982 1234') }), call({ id: '1', number: '+390669821234' })],
    expected: { outcome: 'matched', contact_id: '003A' },
  },
  {
    claim: 'a merged contact is who it was merged into, over a chain of merges',
    events: [
      contact({ id: '003A', deleted: true, merged_into: '003B', ...withPhone(WORK) }),
      contact({ id: '003B', deleted: true, merged_into: '003C' }),
      contact({ id: '003C', account_id: '001C' }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'matched', contact_id: '003C', account_id: '001C' },
  },
  {
    claim: 'a chain of merges that bites its tail names nobody',
    events: [
      contact({ id: '003A', deleted: true, merged_into: '003B', ...withPhone(WORK) }),
      contact({ id: '003B', deleted: true, merged_into: '003A' }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'unmatched' },
  },
  {
    claim: 'the loser of a merge and its master are one person, not two',
    events: [
      contact({ id: '003A', deleted: true, merged_into: '003C', ...withPhone(WORK) }),
      contact({ id: '003C', account_id: '001C', ...withPhone(WORK) }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'matched', contact_id: '003C' },
  },
  {
    claim: 'a converted lead is the contact it became',
    events: [
      lead({
        id: '00QA',
        is_converted: true,
        converted_contact_id: '003A',
        converted_account_id: '001A',
        ...withPhone(OTHER),
      }),
      ada,
      call({ id: '1', number: OTHER }),
    ],
    expected: { outcome: 'matched', contact_id: '003A', lead_id: null, account_id: '001A' },
  },
  {
    claim: 'a converted lead names its contact before that has come',
    events: [
      lead({
        id: '00QA',
        is_converted: true,
        converted_contact_id: '003Z',
        converted_account_id: '001A',
        ...withPhone(OTHER),
      }),
      call({ id: '1', number: OTHER }),
    ],
    expected: { outcome: 'matched', contact_id: '003Z', account_id: '001A' },
  },
  {
    claim: 'a lead is a lead',
    events: [lead({ id: '00QA', email: 'lee@other.example' }), call({ id: '1', email: 'lee@other.example' })],
    expected: { outcome: 'matched', lead_id: '00QA', contact_id: null, account_id: null },
  },
  {
    claim: 'a contact of a merged account is at the account it was merged into',
    events: [
      ada,
      account({ id: '001A', deleted: true, merged_into: '001M' }),
      account({ id: '001M' }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'matched', contact_id: '003A', account_id: '001M' },
  },
  {
    claim: 'a deleted contact is nobody',
    events: [ada, contact({ id: '003A', v: 2, deleted: true, ...withPhone(WORK) }), call({ id: '1', number: WORK })],
    expected: { outcome: 'unmatched', contact_id: null },
  },
  {
    claim: 'a contact deleted without an image is nobody',
    events: [ada, contact({ id: '003A', v: 2, deleted: true, noImage: true }), call({ id: '1', number: WORK })],
    expected: { outcome: 'unmatched' },
  },
  {
    claim: 'an older state of a contact that comes late changes nothing',
    events: [
      contact({ id: '003A', v: 5, ...withPhone(OTHER) }),
      contact({ id: '003A', v: 4, ...withPhone(WORK) }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'unmatched' },
  },
  {
    claim: 'a number moved from one contact to another is the other',
    events: [
      ada,
      contact({ id: '003A', v: 2, account_id: '001A', ...withPhone(OTHER) }),
      contact({ id: '003B', account_id: '001B', ...withPhone(WORK) }),
      call({ id: '1', number: WORK }),
    ],
    expected: { outcome: 'matched', contact_id: '003B', account_id: '001B' },
  },
  {
    claim: 'a task concerns whom the source says',
    events: [ada, task({ id: '00T1', who_id: '003A', account_id: '001A' })],
    activity: '00T1',
    expected: {
      outcome: 'matched',
      contact_id: '003A',
      account_id: '001A',
      rule: 'SRC_ID',
      probability: 0.99,
      participant: 'who:003A',
    },
  },
  {
    claim: 'a task concerns a lead by its id',
    events: [lead({ id: '00QA' }), task({ id: '00T1', who_id: '00QA' })],
    activity: '00T1',
    expected: { outcome: 'matched', lead_id: '00QA', contact_id: null },
  },
  {
    claim: 'a task of a merged contact concerns who that is today',
    events: [
      contact({ id: '003A', deleted: true, merged_into: '003B' }),
      contact({ id: '003B', account_id: '001B' }),
      task({ id: '00T1', who_id: '003A' }),
    ],
    activity: '00T1',
    expected: { outcome: 'matched', contact_id: '003B', account_id: '001B' },
  },
  {
    claim: 'a task without a person concerns the account it is about',
    events: [account({ id: '001A' }), task({ id: '00T1', what_id: '001A' })],
    activity: '00T1',
    expected: { outcome: 'account-only', account_id: '001A', rule: 'SRC_ACCOUNT' },
  },
  {
    claim: 'a task of a deleted contact concerns the account alone',
    events: [contact({ id: '003A', deleted: true }), task({ id: '00T1', who_id: '003A', account_id: '001A' })],
    activity: '00T1',
    expected: { outcome: 'account-only', account_id: '001A', contact_id: null },
  },
  {
    claim: 'a task that names nobody is excluded',
    events: [task({ id: '00T1', what_id: '006A' })],
    activity: '00T1',
    expected: { outcome: 'excluded', rule: 'NO_IDENTIFIER' },
  },
];

describe('a participant', () => {
  it.each(CASES)('$claim', async ({ events, activity = '1', expected }) => {
    expect((await resolved(...events)).of(activity)).toMatchObject(expected);
    expect((await resolved(...[...events].reverse())).of(activity)).toMatchObject(expected);
  });
});

describe('the explanation', () => {
  it('lists five alternatives and how many more there are, in at most 2 KB', async () => {
    const long = 'x'.repeat(300);
    const people = Array.from({ length: 40 }, (_, n) =>
      contact({ id: `003${10 + n}${long}`, account_id: '001A', ...withPhone(WORK) }),
    );
    const match = (await resolved(...people, call({ id: '1', number: WORK }))).of('1');
    const listed = JSON.parse(match.alternatives ?? '[]') as { id?: string; more?: number; why?: string }[];
    expect(listed).toHaveLength(6);
    expect(listed[0]).toMatchObject({ kind: 'contact', why: 'shares the number', account: '001A' });
    expect(listed.at(-1)).toEqual({ more: 35 });
    expect(Buffer.byteLength(match.alternatives ?? '')).toBeLessThanOrEqual(2_048);
    expect(JSON.parse(match.evidence ?? '')).toEqual([{ f: 'phone', persons: 40, accounts: 0, users: 0 }]);
  });

  it('drops alternatives that do not fit', async () => {
    const long = 'x'.repeat(900);
    const people = Array.from({ length: 5 }, (_, n) =>
      contact({ id: `003${n}${long}`, account_id: '001A', ...withPhone(WORK) }),
    );
    const { alternatives } = (await resolved(...people, call({ id: '1', number: WORK }))).of('1');
    expect(Buffer.byteLength(alternatives ?? '')).toBeLessThanOrEqual(2_048);
    expect(alternatives).toContain('"more":4');
  });
});
