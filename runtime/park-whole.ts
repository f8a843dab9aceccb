/** Parking of messages whose body is elsewhere: a dead letter may wait longer than its claim is kept. */
import type { ObjectsPort } from '#core/ports/objects.ts';
import { openClaim } from './claims.ts';
import type { Parking } from './park.ts';

/** Parks the body itself. What cannot be fetched is parked as it came. */
export function parkingWhole(parking: Parking, objects: ObjectsPort): Parking {
  return {
    async park(message, failure) {
      const opened = await openClaim(message, objects);
      await parking.park('body' in opened ? opened : message, failure);
    },
  };
}
