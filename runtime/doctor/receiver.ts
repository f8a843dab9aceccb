/** Whether vendors' pushes can come in: the public address, asked as a vendor would reach it, without sending anything. */
import { failed, ok, skipped, warning, type Check, type Finding } from './check.ts';
import type { Subject } from './subject.ts';

const TODO = 'Look at the address, its certificate and what stands before the receiver.';

export function receiverCheck(subject: Subject): Check {
  const routes = subject.settings.services.flatMap(({ service }) => Object.values(service.declared.routes));
  return {
    name: 'receiver',
    otherwise: TODO,
    async run(signal) {
      if (routes.length === 0) return skipped('No source that is configured pushes.');
      if (subject.receiver === null)
        return skipped('Its public address is not given.', 'Give it with --receiver <url>.');
      const base = subject.receiver;
      return Promise.all(routes.map(({ path }) => look(new URL(path, base), signal)));
    },
  };
}

/** The receiver takes only POST: it refuses a GET with 405 and says so, which nothing else in its place does. */
async function look(url: URL, signal: AbortSignal): Promise<Finding> {
  try {
    const { status, headers } = await fetch(url, { signal, redirect: 'manual' });
    if (status !== 405 || headers.get('allow') !== 'POST')
      return failed(`${url.href} answers ${status}, as our receiver does not.`, TODO);
  } catch (error) {
    signal.throwIfAborted();
    return failed(`${url.href} cannot be reached (${reasonOf(error)}).`, TODO);
  }
  if (url.protocol !== 'https:') return warning(`${url.href} is reached without TLS.`, 'Vendors want https.');
  return ok(`${url.href} is our receiver.`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { readonly code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? cause.code : 'no code';
}
