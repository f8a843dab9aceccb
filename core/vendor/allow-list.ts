/**
 * What may be sent to a source: an exact list of methods and paths, checked on the very URL that is then sent (rule 6).
 * A path that is not plain (encoded slashes, dots, a parameter or header nobody listed) is not on the list.
 */
import { Misconfigured } from '../errors.ts';
import type { VendorRequest, VendorRpc } from '../ports/vendor.ts';

export type Parameters = Readonly<Record<string, string>>;

export interface AllowedRequest {
  readonly origin: string;
  readonly method: VendorRequest['method'];
  /** `{name}` is one segment that matches `parameters[name]`. The template is also the call's name in facts: it has no ids. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, RegExp>>;
  /** Query parameters that may be given, each once; no others. */
  readonly query?: Readonly<Record<string, (value: string) => boolean>>;
  /** What the body must be. Not given: there must be none. */
  readonly body?: (text: string, parameters: Parameters) => boolean;
}

export interface AllowedRpc {
  readonly endpoint: string;
  readonly rpc: string;
}

export interface AllowListSpec {
  readonly requests: readonly AllowedRequest[];
  readonly rpcs: readonly AllowedRpc[];
  /** Request headers by lower-case name: others can change what a request means (`x-http-method-override`). */
  readonly headers: readonly string[];
}

export interface Permit {
  readonly operation: string;
  /** The URL as it was checked: send this one. */
  readonly url: string;
}

export interface AllowList {
  /** Throws `Misconfigured` with code `not_allowed` for what is not on the list. */
  request(request: VendorRequest): Permit;
  rpc(rpc: VendorRpc): Permit;
}

interface Compiled extends AllowedRequest {
  readonly pattern: RegExp;
}

export function allowList(spec: AllowListSpec): AllowList {
  const compiled: readonly Compiled[] = spec.requests.map((allowed) => ({ ...allowed, pattern: patternOf(allowed) }));
  const headers = new Set(spec.headers);
  return {
    request(request) {
      const url = plainUrl(request.url);
      if (url === undefined) throw refusal(request.method);
      if (Object.keys(request.headers ?? {}).some((name) => !headers.has(name.toLowerCase())))
        throw refusal(request.method);
      for (const allowed of compiled)
        if (permits(allowed, request, url)) return { operation: `${allowed.method} ${allowed.path}`, url: url.href };
      throw refusal(request.method);
    },
    rpc(rpc) {
      if (!spec.rpcs.some(({ endpoint, rpc: name }) => endpoint === rpc.endpoint && name === rpc.rpc))
        throw refusal('RPC');
      return { operation: rpc.rpc, url: rpc.endpoint };
    },
  };
}

/** Says nothing of the path: it may hold ids. */
function refusal(method: string): Misconfigured {
  return new Misconfigured(
    'not_allowed',
    `A ${method} that is not on the allow-list was refused before it was sent. Only reads are allowed: add the exact method and path if it is one.`,
  );
}

function patternOf({ path, parameters = {} }: AllowedRequest): RegExp {
  const source = path.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const parameter = parameters[name];
    if (parameter === undefined)
      throw new Misconfigured('allow_list', `The parameter {${name}} of ${path} has no pattern.`);
    return `(?<${name}>${parameter.source})`;
  });
  return new RegExp(`^${source.join('')}$`);
}

function plainUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
  return /^(\/[A-Za-z0-9_.\-~]+)+\/?$/.test(url.pathname) ? url : undefined;
}

function permits(allowed: Compiled, request: VendorRequest, url: URL): boolean {
  if (allowed.method !== request.method || allowed.origin !== url.origin) return false;
  const match = allowed.pattern.exec(url.pathname);
  if (match === null) return false;
  const parameters = match.groups ?? {};
  return allowsQuery(allowed, url.searchParams) && allowsBody(allowed, request.body, parameters);
}

function allowsQuery({ query = {} }: Compiled, given: URLSearchParams): boolean {
  const seen = new Set<string>();
  for (const [name, value] of given) {
    const accepts = Object.hasOwn(query, name) ? query[name] : undefined;
    if (accepts === undefined || seen.has(name) || !accepts(value)) return false;
    seen.add(name);
  }
  return true;
}

function allowsBody({ body }: Compiled, given: Uint8Array | undefined, parameters: Parameters): boolean {
  if (given === undefined || body === undefined) return given === undefined && body === undefined;
  return body(Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('utf8'), parameters);
}
