/** Secret Manager: the value of a version of a secret. https://cloud.google.com/secret-manager/docs/reference/rpc */
import { credentials } from '@grpc/grpc-js';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { GoogleAuth, PassThroughClient } from 'google-auth-library';
import type { Clock } from '#core/clock.ts';
import { Misconfigured, Transient, TributaryError, Unauthorized } from '#core/errors.ts';
import { crc32c } from './crc32c.ts';

export interface GoogleSecretsOptions {
  /** host:port of a fake, without TLS and credentials; absent: Google's service. */
  readonly endpoint?: string;
  readonly clock: Clock;
  /** For one value, repetitions by the client included. */
  readonly withinMs?: number;
}

export interface Secrets {
  /**
   * The text of `projects/<project>/secrets/<secret>/versions/<version>`, without a line break at its end. Throws
   * `Misconfigured`, `Unauthorized` or `Transient`, naming the secret and never its value.
   */
  access(name: string): Promise<string>;
  close(): Promise<void>;
}

const WITHIN_MS = 10_000;
/** https://grpc.io/docs/guides/status-codes/ */
const STATUS = { invalidArgument: 3, notFound: 5, permissionDenied: 7, failedPrecondition: 9, unauthenticated: 16 };

interface Payload {
  readonly data?: Uint8Array | string | null;
  readonly dataCrc32c?: unknown;
}

export function openGoogleSecrets({ endpoint, clock, withinMs = WITHIN_MS }: GoogleSecretsOptions): Secrets {
  const client = new SecretManagerServiceClient(endpoint === undefined ? {} : addressOf(endpoint));
  return {
    access: (name) => inTime(accessed(client, name, withinMs), name, clock, withinMs),
    close: () => client.close(),
  };
}

function addressOf(endpoint: string) {
  const at = endpoint.lastIndexOf(':');
  return {
    apiEndpoint: endpoint.slice(0, at),
    port: Number(endpoint.slice(at + 1)),
    sslCreds: credentials.createInsecure(),
    // Otherwise the client looks for a machine of Google's to get credentials from.
    auth: new GoogleAuth({ authClient: new PassThroughClient(), projectId: 'local' }),
  };
}

async function accessed(client: SecretManagerServiceClient, name: string, timeout: number): Promise<string> {
  try {
    const [{ payload }] = await client.accessSecretVersion({ name }, { timeout });
    return textOf(name, payload ?? {});
  } catch (error) {
    throw error instanceof TributaryError ? error : secretError(name, error);
  }
}

function textOf(name: string, { data, dataCrc32c }: Payload): string {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : (data ?? new Uint8Array());
  if (dataCrc32c !== undefined && dataCrc32c !== null && Number(dataCrc32c) !== crc32c(bytes))
    throw new Transient('secret_damaged', `The secret ${name} was damaged on its way: it is asked for again.`);
  try {
    // A file that was added with an editor or by echo ends with a line break that no secret has.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new Misconfigured('secret_not_text', `The secret ${name} is not text in UTF-8: add a version that is.`);
  }
}

/** Only the status is used: what the service says beside it is not ours to repeat. */
function secretError(name: string, error: unknown): TributaryError {
  switch (statusOf(error)) {
    case STATUS.notFound:
    case STATUS.invalidArgument:
      return new Misconfigured('secret_missing', `There is no ${name}: add a version to the secret, or mend its name.`);
    case STATUS.failedPrecondition:
      return new Misconfigured('secret_disabled', `${name} is disabled or destroyed: name another version.`);
    case STATUS.permissionDenied:
    case STATUS.unauthenticated:
      return new Unauthorized(
        'secret_denied',
        `Access to ${name} is denied: grant roles/secretmanager.secretAccessor to the account that this runs as.`,
      );
    default:
      return unavailable(name);
  }
}

function unavailable(name: string): Transient {
  return new Transient('secret_unavailable', `Secret Manager does not answer for ${name}.`);
}

function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** The client's own limit counts each of its tries. */
function inTime<T>(work: Promise<T>, name: string, clock: Clock, withinMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(withinMs, () => late.reject(unavailable(name)));
  work.catch(() => undefined);
  return Promise.race([work, late.promise]).finally(cancel);
}
