/** What all doors of the org share: the company behind it, who is logged in, what was asked, what goes wrong. */
import { idWithPrefix, type World } from '../world/index.ts';
import { Faults } from './faults.ts';
import type { SalesforceOptions } from './options.ts';
import { Sessions } from './sessions.ts';
import { Traffic } from './traffic.ts';

export interface Org {
  readonly world: World;
  readonly options: SalesforceOptions;
  readonly orgId: string;
  readonly sessions: Sessions;
  readonly traffic: Traffic;
  readonly faults: Faults;
  readonly usage: Usage;
  /** The list of deletions goes back to here at most. */
  deletionsSinceMs: number;
  /** Marks the parts of a composite request. */
  innerKey: string | null;
  /** Known once the doors are open. */
  instanceUrl: string;
}

/** What is counted against the org's daily allowances. */
export interface Usage {
  requests: number;
  bulkJobs: number;
  deliveredEvents: number;
  dailyRequests: number;
}

export function openOrg(world: World, options: SalesforceOptions): Org {
  const orgId = idWithPrefix('00D', 1 + (world.shape.seed % 1_000_000));
  return {
    world,
    options,
    orgId,
    sessions: new Sessions(orgId, options.sessionMs, world.now),
    traffic: new Traffic(),
    faults: new Faults(),
    usage: { requests: 0, bulkJobs: 0, deliveredEvents: 0, dailyRequests: options.dailyRequests },
    deletionsSinceMs: 0,
    innerKey: null,
    instanceUrl: '',
  };
}
