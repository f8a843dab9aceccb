/** Salesforce's Pub/Sub API on loopback, over TLS as the vendor requires: change events of the simulated company. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Metadata,
  Server,
  ServerCredentials,
  loadPackageDefinition,
  status,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { OBJECT_NAMES, type World } from '../../world/index.ts';
import { ChangeLog } from './change-log.ts';
import { Subscription, isTopic, trailers, type FetchRequest, type FetchResponse } from './subscription.ts';

export interface EventsOptions {
  readonly world: World;
  readonly orgId: string;
  /** Whether a session is valid now. */
  readonly isSession: (accessToken: string) => boolean;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly host?: string;
  readonly port?: number;
  /** The vendor's is 270,000. */
  readonly keepAliveMs?: number;
}

export interface Events {
  /** `host:port` */
  readonly endpoint: string;
  readonly log: ChangeLog;
  /** RPCs that were called, by name. */
  readonly calls: Map<string, number>;
  /** Events that may still be delivered today. */
  allowance: number;
  /** Ends all streams, with an error or by a cut. */
  dropStreams(how?: { readonly code: status; readonly errorCode: string }): void;
  close(): Promise<void>;
}

const PREFIX = 'sfdc.platform.eventbus.grpc';

export async function startEvents(options: EventsOptions): Promise<Events> {
  const { world, tls, host = '127.0.0.1', port = 0 } = options;
  const state = {
    log: new ChangeLog(world),
    calls: new Map<string, number>(),
    allowance: Number.MAX_SAFE_INTEGER,
    streams: new Set<Subscription>(),
  };
  const server = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
  server.addService(serviceDefinition(), handlers(options, state));
  const credentials = ServerCredentials.createSsl(null, [
    { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) },
  ]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (error, actual) =>
      error === null ? resolve(actual) : reject(error),
    );
  });
  return {
    endpoint: `${host}:${bound}`,
    log: state.log,
    calls: state.calls,
    get allowance() {
      return state.allowance;
    },
    set allowance(events) {
      state.allowance = events;
    },
    dropStreams: (how) => {
      for (const stream of [...state.streams]) {
        if (how === undefined) stream.cut();
        else stream.fail(how.code, how.errorCode, 'The stream was ended.');
      }
    },
    close: async () => {
      for (const stream of [...state.streams]) stream.close();
      // What the streams still say must leave before the connections are cut.
      await Promise.race([new Promise<void>((resolve) => server.tryShutdown(() => resolve())), sleep(500)]);
      server.forceShutdown();
    },
  };
}

interface State {
  readonly log: ChangeLog;
  readonly calls: Map<string, number>;
  readonly streams: Set<Subscription>;
  allowance: number;
}

function handlers(options: EventsOptions, state: State): UntypedServiceImplementation {
  let rpcs = 0;
  const begin = (rpc: string, metadata: Metadata): { readonly rpcId: string; readonly refused: object | null } => {
    rpcs += 1;
    state.calls.set(rpc, (state.calls.get(rpc) ?? 0) + 1);
    const rpcId = `rpc-${rpcs}`;
    return { rpcId, refused: refusal(options, metadata, rpcId) };
  };
  const getTopic: handleUnaryCall<{ readonly topic_name: string }, object> = (call, answer) => {
    const { rpcId, refused } = begin('GetTopic', call.metadata);
    if (refused !== null) return answer(refused);
    const { topic_name } = call.request;
    if (!isTopic(topic_name))
      return answer(
        failure(status.NOT_FOUND, `${PREFIX}.topic.not.found`, `The topic ${topic_name} does not exist.`, rpcId),
      );
    const object = OBJECT_NAMES.find((name) => topic_name === `/data/${name}ChangeEvent`);
    const schema_id = object === undefined ? '' : state.log.schemaOf(object).id;
    answer(null, {
      topic_name,
      tenant_guid: options.orgId,
      can_publish: false,
      can_subscribe: true,
      schema_id,
      rpc_id: rpcId,
    });
  };
  const getSchema: handleUnaryCall<{ readonly schema_id: string }, object> = (call, answer) => {
    const { rpcId, refused } = begin('GetSchema', call.metadata);
    if (refused !== null) return answer(refused);
    const schema = state.log.schema(call.request.schema_id);
    if (schema === undefined)
      return answer(failure(status.NOT_FOUND, `${PREFIX}.schema.not.found`, 'The schema does not exist.', rpcId));
    answer(null, { schema_json: schema.json, schema_id: schema.id, rpc_id: rpcId });
  };
  const subscribe: handleBidiStreamingCall<FetchRequest, FetchResponse> = (stream) => {
    const { rpcId, refused } = begin('Subscribe', stream.metadata);
    if (refused !== null) return void stream.emit('error', refused);
    let token = String(stream.metadata.get('accesstoken')[0]);
    const subscription = new Subscription(stream, {
      log: state.log,
      rpcId,
      keepAliveMs: options.keepAliveMs ?? 270_000,
      isAuthorized: (refreshed) => {
        if (refreshed !== '') token = refreshed;
        return options.isSession(token);
      },
      deliver: (events) => (state.allowance -= events) >= 0,
    });
    state.streams.add(subscription);
    stream.on('close', () => state.streams.delete(subscription));
  };
  // Change events are the platform's own: nobody publishes to their topics.
  const publish: handleUnaryCall<never, object> = (call, answer) => {
    const { rpcId, refused } = begin('Publish', call.metadata);
    answer(
      refused ??
        failure(
          status.PERMISSION_DENIED,
          `${PREFIX}.publish.topic.permission.denied`,
          'Publishing to this topic is not allowed.',
          rpcId,
        ),
    );
  };
  return { GetTopic: getTopic, GetSchema: getSchema, Subscribe: subscribe, Publish: publish } as unknown as ReturnType<
    typeof handlers
  >;
}

function refusal({ isSession, orgId }: EventsOptions, metadata: Metadata, rpcId: string): object | null {
  const [token, tenant, instance] = ['accesstoken', 'tenantid', 'instanceurl'].map((name) =>
    String(metadata.get(name)[0] ?? ''),
  );
  if (token !== undefined && isSession(token) && instance !== '' && tenant?.slice(0, 15) === orgId.slice(0, 15))
    return null;
  return failure(
    status.UNAUTHENTICATED,
    `${PREFIX}.service.auth.error`,
    'An authentication exception occurred.',
    rpcId,
  );
}

function failure(
  code: status,
  errorCode: string,
  details: string,
  rpcId: string,
): { code: status; details: string; metadata: Metadata } & Error {
  return Object.assign(new Error(details), { code, details, metadata: trailers(errorCode, rpcId) });
}

function serviceDefinition(): ServiceDefinition {
  const definition = loadSync(join(import.meta.dirname, 'pubsub-api.proto'), {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    arrays: true,
  });
  const root = loadPackageDefinition(definition) as unknown as {
    readonly eventbus: { readonly v1: { readonly PubSub: { readonly service: ServiceDefinition } } };
  };
  return root.eventbus.v1.PubSub.service;
}
