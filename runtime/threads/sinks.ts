/** Which services run in the second thread: those that only consume what others made canonical. */
import type { Declared } from '#core/service.ts';

export function isSink(declared: Declared): boolean {
  const topics = Object.values(declared.subscribes).map(({ topic }) => topic);
  const isUpstream = topics.some((topic) => topic.startsWith('raw.') || topic.startsWith('hint.'));
  const isBound = Object.keys(declared.routes).length + Object.keys(declared.commands).length > 0;
  return topics.length > 0 && !isUpstream && !isBound;
}
