/** How large a company of so many contacts is. */
import type { ObjectName } from './ids.ts';
import { mix32 } from './random.ts';
import type { Shape } from './row.ts';
import type { WorldOptions } from './model.ts';

export function shapeOf({ seed, contacts, epochMs = Date.UTC(2025, 0, 1) }: WorldOptions): Shape {
  const share = (part: number): number => Math.max(1, Math.ceil(contacts / part));
  return {
    seed,
    contacts,
    accounts: share(8),
    leads: share(5),
    opportunities: share(10),
    users: 20 + (mix32(seed, 2) % 31),
    tasks: share(4),
    events: share(10),
    calls: share(10),
    epochMs,
  };
}

export function baseCounts(shape: Shape): Readonly<Record<ObjectName, number>> {
  return {
    Account: shape.accounts,
    Contact: shape.contacts,
    Lead: shape.leads,
    Opportunity: shape.opportunities,
    User: shape.users,
    Task: shape.tasks,
    Event: shape.events,
  };
}
