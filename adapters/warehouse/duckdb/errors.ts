/** DuckDB's errors have no code, only a message that starts with their kind. Here they become the project's own. */
import { DependencyDown, InvalidMessage, messageOf, Misconfigured, Transient, TributaryError } from '#core/errors.ts';

/** The kind at the start of a message: `IO Error: Could not …` → `IO`. */
export function kindOf(error: unknown): string {
  return /^([A-Za-z ]+?) Error:/.exec(messageOf(error))?.[1] ?? 'Unknown';
}

/** After one of these the whole instance refuses all work until it is opened again. */
export function breaksInstance(error: unknown): boolean {
  return ['FATAL', 'INTERNAL'].includes(kindOf(error)) || /database has been invalidated/.test(messageOf(error));
}

/** A write that fails, with rows already checked, is the warehouse's trouble: the message leaves out what it said, which may quote values. */
export function writeError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  const advice = 'look at the free space and the rights of its folder';
  return new DependencyDown('warehouse', `The DuckDB warehouse failed (${kindOf(error)} error): ${advice}.`, {
    cause: error,
  });
}

/** A statement that DuckDB will not take while the schemas are applied is a fault of the schemas or views. */
export function applyError(error: unknown): TributaryError {
  if (error instanceof TributaryError || !['Parser', 'Binder', 'Catalog'].includes(kindOf(error)))
    return writeError(error);
  return new Misconfigured('schema_invalid', `DuckDB refuses the schemas: ${firstLines(messageOf(error))}`, {
    cause: error,
  });
}

export function queryError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  switch (kindOf(error)) {
    case 'INTERRUPT':
      return new Transient('query_stopped', 'The query was stopped: try it again.', { cause: error });
    case 'Out of Memory':
      return new Transient('query_memory', 'The query needs more memory than it may have: ask for less at once.', {
        cause: error,
      });
    case 'IO':
    case 'FATAL':
    case 'INTERNAL':
    case 'Connection':
      return writeError(error);
    default:
      return new InvalidMessage('invalid_query', firstLines(messageOf(error)), { cause: error });
  }
}

export function openError(error: unknown, path: string): TributaryError {
  const holder = /Conflicting lock is held in .*\(PID (\d+)\)/.exec(messageOf(error))?.[1];
  if (holder !== undefined) {
    return new DependencyDown(
      'warehouse',
      `The warehouse file is held by the running process ${holder}: query through it, or stop it first.`,
      { cause: error },
    );
  }
  return new DependencyDown('warehouse', `The warehouse file ${path} cannot be opened (${kindOf(error)} error).`, {
    cause: error,
  });
}

function firstLines(message: string): string {
  return message.slice(0, 1_000);
}
