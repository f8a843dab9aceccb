/** Whether each secret that a setting refers to can be read here. The value itself goes nowhere but to the checks of sources. */
import { messageOf, Unauthorized } from '#core/errors.ts';
import { resolveSecrets } from '../secrets.ts';
import type { Values } from '../settings.ts';
import { failure, ok, warning, type Check } from './check.ts';
import { isCloud, type Subject } from './subject.ts';

/** What all references need beside themselves. */
const SHARED = ['google.project', 'secrets.endpoint'];
const WITHIN_MS = 40_000;

export interface SecretsSeen {
  readonly checks: readonly Check[];
  /** The settings with the values in place of references; what cannot be read stays one. */
  resolved(): Promise<Values>;
  /** Settings whose secret cannot be read, once that is known. */
  readonly unread: ReadonlySet<string>;
}

export function secretChecks(subject: Subject): SecretsSeen {
  const { values, settings } = subject;
  const unread = new Set<string>();
  const ended: Promise<Values>[] = [];
  // Only of what runs: another service's secrets are none of this configuration.
  const used = new Set(settings.services.flatMap(({ service }) => Object.keys(service.declared.config)));
  const names = Object.keys(values).filter((name) => used.has(name) && values[name]?.includes('secret://') === true);
  const checks = names.map((name): Check => {
    const done = Promise.withResolvers<Values>();
    ended.push(done.promise);
    return {
      name: `secret ${name}`,
      withinMs: WITHIN_MS,
      otherwise: 'Look at the network towards Secret Manager.',
      async run(signal) {
        signal.addEventListener('abort', () => none(name, unread, done), { once: true });
        try {
          done.resolve({ [name]: (await one(subject, name, signal))[name] });
          return ok('It can be read.');
        } catch (error) {
          none(name, unread, done);
          const found = failure(error, 'Look at the setting and its secret.');
          // Who looks from outside need not be allowed what the service is.
          if (!(error instanceof Unauthorized && isCloud(subject))) return found;
          return warning(`Whether the service can read it cannot be seen: ${messageOf(error)}`, found.todo ?? '');
        }
      },
    };
  });
  return {
    checks,
    unread,
    resolved: async () => Object.assign({ ...values }, ...(await Promise.all(ended))) as Values,
  };
}

function none(name: string, unread: Set<string>, done: PromiseWithResolvers<Values>): void {
  unread.add(name);
  done.resolve({});
}

function one({ services, values }: Subject, name: string, signal: AbortSignal): Promise<Values> {
  const needed = [...SHARED, name].map((entry) => [entry, values[entry]] as const);
  return resolveSecrets(services, Object.fromEntries(needed), signal);
}
