/** Where no service uses the warehouse: none is opened, and Google's client for it is not loaded. */
import { Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';

export function noWarehouse(): WarehousePort {
  const refuse = (): never => {
    throw new Misconfigured('not_declared', 'No service of this process declares that it uses the warehouse.');
  };
  return {
    upsert: async () => refuse(),
    plan: async () => refuse(),
    apply: async () => refuse(),
    query: refuse,
    liveIds: refuse,
  };
}
