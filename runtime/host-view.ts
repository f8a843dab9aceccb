/** A host as others see it and what it may be told, apart from how it works. */
import type { CommandArguments, CommandResult, Declared, Progress } from '#core/service.ts';

/** A host as the outside sees it, in whichever thread it runs. */
export interface HostView {
  readonly declared: Declared;
  /** `waiting`: for its lease, or to be started. */
  readonly state: 'waiting' | 'running' | 'paused';
  /** Something is under way that no backlog shows. */
  readonly busy: boolean;
  readonly paused: boolean;
  /** Throws `Misconfigured` for a command that is not there. */
  command(name: string, args: CommandArguments, progress: Progress, signal: AbortSignal): Promise<CommandResult>;
}

/**
 * What of a service runs here. `routes`: it answers pushes. `work`: it consumes, runs schedules and singletons.
 * `commands`: neither, it only does what it is told.
 */
export type HostPart = 'all' | 'routes' | 'work' | 'commands';

export interface HostOptions {
  readonly part?: HostPart;
  /** Where several instances run: each schedule under a lease of its own. */
  readonly leasedSchedules?: boolean;
}
