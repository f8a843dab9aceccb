/** Names of objects, as every adapter takes them: they must do as paths of a file system and as names in a bucket. */
import { Misconfigured } from '#core/errors.ts';

const LONGEST_PART = 200;
/** Cloud Storage takes 1,024 bytes, of which a prefix of ours is some. All characters allowed are of one byte. */
const LONGEST_NAME = 1_000;
/** No part starts with a dot: so no way up, and no hidden file. */
const PART = /^[A-Za-z0-9_=@%+,~-][A-Za-z0-9._=@%+,~-]*$/;

/** Throws `Misconfigured` for what is no name of an object. */
export function checkName(name: string): void {
  const valid =
    name.length <= LONGEST_NAME && name.split('/').every((part) => PART.test(part) && part.length <= LONGEST_PART);
  if (valid) return;
  throw new Misconfigured(
    'invalid_object_name',
    'An object name has parts of letters, digits and ._=@%+,~- between slashes, of which none starts with a dot, and at most 1,000 characters.',
  );
}
