/** Everything that is looked at, in the order in which it is told. */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
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

export { readConfiguration } from './configuration.ts';
export type { Examined, Reported, Verdict } from './check.ts';
export type { StandIn, Subject } from './subject.ts';

export type Described = Omit<Subject, 'clock' | 'random'>;

/** Never rejects for what it finds. */
export async function examineAll(described: Described, tell: (found: Reported) => void): Promise<Examined> {
  const { withinMs } = described;
  const clock = systemClock;
  const subject: Subject = { ...described, clock, random: systemRandom };
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
    withinMs,
  );
  const last = await examine([skewCheck(subject, skews)], clock, tell, withinMs);
  return { reported: [...first.reported, ...last.reported], hanging: [...first.hanging, ...last.hanging] };
}

/** What can be said while the configuration is not one. */
export function examineFaults(faults: readonly string[], tell: (found: Reported) => void): Promise<Examined> {
  return examine([faultsCheck(faults), nodeCheck()], systemClock, tell);
}
