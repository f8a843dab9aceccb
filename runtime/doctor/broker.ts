/** The broker: topics, schemas and subscriptions as declared, and the rights on them. */
import type { Difference, Inspector, Lacking } from '#adapters/broker/pubsub/inspect.ts';
import { DependencyDown, Unauthorized } from '#core/errors.ts';
import { projectOf } from '../config.ts';
import { definitionOf } from '../places/schemas.ts';
import { topologyOf, type Topology } from '../topology.ts';
import { failed, failure, ok, skipped, warning, type Check, type Finding } from './check.ts';
import { configOf, howMade, isCloud, type Subject } from './subject.ts';

const WITHIN_MS = 30_000;

export function brokerChecks(subject: Subject): readonly Check[] {
  const config = configOf(subject);
  if (config.broker === 'embedded') return [one('broker', subject, async () => skipped('It is a file of the state folder.'))]; // prettier-ignore
  if (subject.standIns.has('pubsub'))
    return [one('broker', subject, async () => skipped("«npm start» starts Google's emulator."))];
  const declared = isCloud(subject) ? subject.services : subject.settings.services.map(({ service }) => service);
  const topology = topologyOf(declared);
  const looking =
    (look: (inspector: Inspector) => Promise<Finding | readonly Finding[]>): Check['run'] =>
    () =>
      withInspector(subject, look);
  return [
    one(
      'broker topology',
      subject,
      looking((inspector) => differences(inspector, topology, subject)),
    ),
    one(
      'broker rights',
      subject,
      looking((inspector) => rights(inspector, topology, subject)),
    ),
    one(
      'broker forwarding',
      subject,
      looking((inspector) => forwarding(inspector, topology)),
    ),
  ];
}

function one(name: string, subject: Subject, run: Check['run']): Check {
  return { name, withinMs: WITHIN_MS, otherwise: unreachable(subject).todo ?? '', run };
}

async function withInspector(
  subject: Subject,
  look: (inspector: Inspector) => Promise<Finding | readonly Finding[]>,
): Promise<Finding | readonly Finding[]> {
  // Google's client is loaded only where it is used.
  const { openInspector } = await import('#adapters/broker/pubsub/inspect.ts');
  const emulator = configOf(subject)['pubsub.emulator'];
  const inspector = openInspector({
    projectId: projectOf(configOf(subject)),
    schemas: definitionOf,
    ...(emulator === null ? {} : { emulator }),
  });
  try {
    return await look(inspector);
  } catch (error) {
    if (error instanceof DependencyDown) return unreachable(subject);
    const found = failure(error, 'Look at the rights of this account.');
    return error instanceof Unauthorized && isCloud(subject) ? warning(found.what, PEOPLE) : found;
  } finally {
    await inspector.close();
  }
}

const PEOPLE = 'To see it, look as one of the services, or as somebody with roles/pubsub.viewer.';

function unreachable(subject: Subject): Finding {
  const { 'pubsub.emulator': emulator } = configOf(subject);
  const where = emulator === null ? '' : ` at ${emulator}`;
  const todo =
    emulator === null
      ? 'Look at the network, the project, and the credentials: gcloud auth application-default login.'
      : 'Start the emulator, or mend TRIBUTARY_PUBSUB_EMULATOR.';
  return failed(`Pub/Sub does not answer${where}.`, todo);
}

async function differences(
  inspector: Inspector,
  { topics, subscriptions }: Topology,
  subject: Subject,
): Promise<readonly Finding[]> {
  const found = await inspector.differences(topics, subscriptions);
  if (found.length === 0) {
    const shared = subscriptions.filter(({ sharing }) => sharing === 'shared').length;
    return [ok(`${topics.length} topics, their schemas and ${shared} subscriptions are as declared.`)];
  }
  const isAbsent = ({ what }: Difference): boolean => what.startsWith('There is no ');
  const absent = (['topic', 'subscription'] as const).flatMap(
    (resource) =>
    absence(found.filter((each) => isAbsent(each) && each.resource === resource), resource, subject), // prettier-ignore
  );
  return [...absent, ...found.filter((each) => !isAbsent(each)).map((each) => graded(each, subject))];
}

/** All in one finding: after a forgotten `terraform apply` there are dozens. */
function absence(found: readonly Difference[], resource: string, subject: Subject): readonly Finding[] {
  if (found.length === 0) return [];
  const names = found.map(({ name }) => name).join(', ');
  const what = found.length === 1 ? (found[0]?.what ?? '') : `There are no ${resource}s ${names}.`;
  return [made(what, subject)];
}

function graded({ kind, what, todo }: Difference, subject: Subject): Finding {
  if (kind === 'missing') return made(what, subject, todo);
  return kind === 'wrong' ? failed(what, todo) : warning(what, todo);
}

/** What `start` makes by itself is no failure there. */
function made(what: string, subject: Subject, todo = ''): Finding {
  const how = [howMade(subject), todo].filter((text) => text !== '').join(', or: ');
  const ended = /[.)]$/.test(how) || todo !== '' ? how : `${how}.`;
  return isCloud(subject) ? failed(what, ended) : warning(what, ended);
}

/** Of whoever looks: from outside that need not be what the services may. */
async function rights(inspector: Inspector, topology: Topology, subject: Subject): Promise<Finding> {
  const lacking = await inspector.accountLacks(topology.topics, topology.subscriptions);
  if (lacking === undefined) return unseen('what this account may do', subject);
  if (lacking.length === 0) return ok('This account may publish to every topic and pull from every subscription.');
  const what = `This account may not publish to, or pull from, ${some(lacking)}.`;
  return isCloud(subject)
    ? warning(what, 'Each service has an account of its own, whose rights Terraform grants: docs/iam.md.')
    : failed(what, 'Grant it roles/pubsub.editor, or the roles of docs/iam.md.');
}

async function forwarding(inspector: Inspector, { topics, subscriptions }: Topology): Promise<Finding> {
  const lacking = await inspector.agentLacks(topics, subscriptions);
  if (lacking === undefined)
    return skipped("Whether Pub/Sub's own agent may forward what it gives up cannot be seen by this account.");
  if (lacking.length === 0) return ok("Pub/Sub's own agent may forward what it gives up.");
  return warning(
    `Pub/Sub's own agent has no role on ${some(lacking)} itself: unless it has one on the project, it delivers for ever what it should give up.`,
    'Apply Terraform, or grant it roles/pubsub.publisher on dead-letter topics and roles/pubsub.subscriber on subscriptions.',
  );
}

function unseen(what: string, subject: Subject): Finding {
  const emulator = configOf(subject)['pubsub.emulator'] !== null;
  return skipped(emulator ? 'The emulator knows no rights.' : `It cannot be seen ${what}.`);
}

const SHOWN = 5;

function some(names: NonNullable<Lacking>): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
