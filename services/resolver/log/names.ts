/**
 * Names of the log's objects. They sort in the order in which they were written: by the owner's epoch, then by number.
 *
 *     resolver/owners/<epoch>                          an owner has begun: fences those before it
 *     resolver/segments/<epoch>/<number>               what changed
 *     resolver/snapshots/<epoch>/<number>/<part>       everything there was after that segment
 *     resolver/manifests/<epoch>/<number>              that snapshot is whole: segments up to it are not needed any more
 */
export const SEGMENTS = 'resolver/segments/';
export const SNAPSHOTS = 'resolver/snapshots/';
export const MANIFESTS = 'resolver/manifests/';
export const OWNERS = 'resolver/owners/';

export interface Position {
  readonly epoch: number;
  readonly number: number;
}

/** Sorts as the position does. */
export function positionText({ epoch, number }: Position): string {
  return `${digits(epoch)}/${digits(number)}`;
}

export function segmentName(position: Position): string {
  return SEGMENTS + positionText(position);
}

export function manifestName(position: Position): string {
  return MANIFESTS + positionText(position);
}

export function partName(position: Position, part: number): string {
  return `${SNAPSHOTS}${positionText(position)}/${digits(part)}`;
}

export function ownerName(epoch: number): string {
  return OWNERS + digits(epoch);
}

function digits(value: number): string {
  return String(value).padStart(12, '0');
}
