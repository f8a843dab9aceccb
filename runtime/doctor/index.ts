/** Everything that is looked at, in the order in which it is told. */
import { brokerChecks } from './broker.ts';
import { examine, type Examined, type Reported } from './check.ts';
import { configurationCheck, faultsCheck } from './configuration.ts';
import { folderCheck, nodeCheck } from './machine.ts';
import { receiverCheck } from './receiver.ts';
import { secretChecks } from './secrets.ts';
import { skewCheck, skewsBy } from './skew.ts';
import { sourceChecks } from './sources.ts';
import { storageChecks } from './storage.ts';
import type { Subject } from './subject.ts';
import { warehouseChecks } from './warehouse.ts';
import type { Clock } from '#core/clock.ts';

export { readConfiguration } from './configuration.ts';
export type { Examined, Reported, Verdict } from './check.ts';
export type { StandIn, Subject } from './subject.ts';

/** Never rejects for what it finds. */
export async function examineAll(subject: Subject, tell: (found: Reported) => void): Promise<Examined> {
  const { clock } = subject;
  const [secrets, skews] = [secretChecks(subject), skewsBy(clock)];
  const first = await examine(
    [
      configurationCheck(subject),
      nodeCheck(),
      folderCheck(subject),
      ...secrets.checks,
      ...sourceChecks(subject, secrets, skews),
      ...brokerChecks(subject),
      ...warehouseChecks(subject),
      ...storageChecks(subject),
      receiverCheck(subject),
    ],
    clock,
    tell,
  );
  const last = await examine([skewCheck(subject, skews)], clock, tell);
  return { reported: [...first.reported, ...last.reported], hanging: [...first.hanging, ...last.hanging] };
}

/** What can be said while the configuration is not one. */
export function examineFaults(
  faults: readonly string[],
  clock: Clock,
  tell: (found: Reported) => void,
): Promise<Examined> {
  return examine([faultsCheck(faults), nodeCheck()], clock, tell);
}
