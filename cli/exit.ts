/** Exit codes: 0 done, 1 failed, 2 wrong usage; of `warehouse` also 3 it differs, 4 it cannot follow the schemas. */
import { TributaryError } from '#core/errors.ts';
import { OperationFailed } from '#runtime/socket.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, differs: 3, cannotFollow: 4 } as const;

const USAGE_CODES: ReadonlySet<string> = new Set([
  'bad_arguments',
  'bad_configuration',
  'bad_time',
  'not_a_time',
  'nothing_selected',
  'unknown_command',
  'unknown_object',
]);

export function exitCodeOf(error: unknown): number {
  const isKnown = error instanceof TributaryError || error instanceof OperationFailed;
  if (!isKnown) return EXIT.failed;
  if (error.code === 'schema_narrowed') return EXIT.cannotFollow;
  return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
}
