/** Mistakes somebody could make, each of which the simulation must catch, and where it shows. */
import { BEYOND_BOUND, WITHIN_BOUND } from './seeds.ts';
import type { Scenario } from './simulate.ts';
import type { Ways } from './world.ts';

export interface Mistake {
  readonly name: string;
  readonly mistake: Partial<Ways>;
  readonly scenario: Scenario;
}

/** Where polls repair all that is right. */
const REPAIRED: Scenario = { ...BEYOND_BOUND, polls: 'on', undeleteModifies: 1 };

export const MISTAKES: readonly Mistake[] = [
  { name: 'a version stamped when the read completed', mistake: { readStamp: 'completed' }, scenario: WITHIN_BOUND },
  { name: 'a bulk job stamped when it ended', mistake: { bulkStamp: 'ended' }, scenario: WITHIN_BOUND },
  { name: 'the last arrival winning', mistake: { sink: 'arrival' }, scenario: WITHIN_BOUND },
  { name: 'no settled read', mistake: { settleMs: 0 }, scenario: WITHIN_BOUND },
  { name: 'not found taken for deleted', mistake: { missing: 'deleted' }, scenario: WITHIN_BOUND },
  {
    name: 'a deletion time that is not floored',
    mistake: { tombstone: 'event time, not floored', undelete: 'raised' },
    scenario: WITHIN_BOUND,
  },
  {
    name: "a tombstone with its event's time, no undelete raised",
    mistake: { tombstone: 'event time' },
    scenario: WITHIN_BOUND,
  },
  {
    name: "a tombstone with its event's time, undeletes raised, where reads lag by 2 s",
    mistake: { tombstone: 'event time', undelete: 'raised' },
    scenario: REPAIRED,
  },
  {
    name: 'any read that misses a record said to be deleted proving it gone, where undeletes do not modify',
    mistake: { proof: 'any' },
    scenario: { ...WITHIN_BOUND, undeleteModifies: 0 },
  },
  { name: 'a poll that skips whatever it published', mistake: { pollSkips: 'published' }, scenario: REPAIRED },
  { name: 'ids in doubt read at once after a listing', mistake: { doubts: 'at once' }, scenario: WITHIN_BOUND },
];
