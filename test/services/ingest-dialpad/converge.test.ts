import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateMeaning } from '#services/ingest-dialpad/state-rank.ts';
import { stepsOf } from '#tools/simulators/dialpad/life.ts';
import { eventText } from '#tools/simulators/dialpad/wire.ts';
import { bench, recordOf, rowsOf, signed } from './kit.ts';

const CONTACT = { id: '4001', type: 'local', email: '', phone: '+12135550100', name: 'Ada Example' };
const USER = { id: '2001', type: 'user', email: 'sam@acme.example', phone: '+12135550111', name: 'Sam Seller' };
const START = 1_767_600_000_000;

/** Every event of an answered, recorded, transcribed call, as the vendor sends them; all at one time if `equal`. */
function story(equal: boolean): string[] {
  const steps = stepsOf({
    callId: '9007199254740993123',
    course: 'answered',
    direction: 'inbound',
    externalNumber: '+12135550100',
    contact: CONTACT,
    user: USER,
    startMs: START,
    ringMs: 4_000,
    talkMs: 60_000,
    recorded: true,
    lines: ['Hello', 'Hi'],
    disposition: 'Interested',
  });
  return steps.map(({ leg, state, offsetMs, more, apply }) => {
    const eventMs = equal ? START : START + offsetMs;
    apply(eventMs);
    return eventText(leg, { state, eventMs, ...(more === undefined ? {} : { more }) });
  });
}

describe('the states of one call', () => {
  it.each([
    ['at their own times', false],
    ['all stamped with one millisecond', true],
  ])('end in the same rows in any order, with any duplicates, %s', async (_when, equal) => {
    const bodies = await Promise.all(story(equal).map((text) => signed(text)));
    const reference = await bench();
    for (const body of bodies) await reference.push(body);
    const contentOf = (rows: ReturnType<typeof rowsOf>) =>
      [...rows].map(([key, { record }]) => [key, record]).toSorted();
    const expected = contentOf(reference.rows());
    expect(recordOf(reference.rows().get('call/9007199254740993123'))).toMatchObject({ state: 'hangup' });
    const orders = fc.shuffledSubarray([...bodies, ...bodies], {
      minLength: bodies.length,
      maxLength: bodies.length * 2,
    });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        fc.pre(new Set(order).size === bodies.length);
        const service = await bench();
        for (const body of order) {
          await service.push(body);
          await service.clock.advance(1);
        }
        expect(contentOf(service.rows())).toEqual(expected);
      }),
      { numRuns: 60, seed: 20_260_105 },
    );
  });

  it('that report a product never touch the row of the call', async () => {
    const service = await bench();
    for (const text of story(false)) {
      const { state } = JSON.parse(text) as { state: string };
      const before = service.published.length;
      await service.push(await signed(text));
      const objects = service.published.slice(before).map(({ envelope }) => envelope.object);
      const { subject } = stateMeaning(state);
      expect(objects, state).toEqual(subject === 'call' ? ['call', 'call_detail'] : [subject]);
    }
    const keys = [...service.rows().keys()].toSorted();
    expect(keys).toEqual([
      'call/9007199254740993123',
      'call_detail/9007199254740993123',
      'call_disposition/9007199254740993123',
      'call_recap/9007199254740993123/recap_action_items',
      'call_recap/9007199254740993123/recap_summary',
      'call_recording/9007199254740993123',
      'call_transcript/9007199254740993123',
    ]);
    expect(recordOf(service.rows().get('call_transcript/9007199254740993123'))).toMatchObject({
      transcription_text: 'Hello\nHi',
    });
    expect(recordOf(service.rows().get('call_recap/9007199254740993123/recap_summary'))).toEqual({
      call_id: '9007199254740993123',
      state: 'recap_summary',
      event_timestamp: String(START + 76_000),
      content: { recap_summary: 'They spoke about: Hello' },
    });
  });

  it('that nobody knows yet never undo a conclusion of the same millisecond', async () => {
    const service = await bench();
    const event = (state: string): string => JSON.stringify({ call_id: 1, state, event_timestamp: START });
    for (const state of ['hangup', 'a_state_of_next_year', 'connected']) await service.push(await signed(event(state)));
    expect(recordOf(service.rows().get('call/1'))).toMatchObject({ state: 'hangup' });
  });

  it('all have a rank below 1000, whatever they are called', () => {
    for (const state of ['toString', '__proto__', 'recap_', 'x', 'admin', null]) {
      expect(stateMeaning(state).rank).toBeGreaterThanOrEqual(0);
      expect(stateMeaning(state).rank).toBeLessThan(1_000);
    }
  });
});
