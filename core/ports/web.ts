/** One push from a vendor, with the body's exact bytes: signatures are over these, never over parsed text. */
export interface WebRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface WebResponse {
  readonly status: number;
  readonly body?: string;
}

export type RouteHandler = (request: WebRequest, signal: AbortSignal) => Promise<WebResponse>;

export interface Route {
  readonly path: string;
  readonly method: 'POST';
  readonly bodyLimitBytes: number;
  /** After this the sender is answered 503, so that it sends again. */
  readonly answerWithinMs: number;
}

export interface WebServer {
  /** `http://host:port`, with the port really bound. */
  readonly url: string;
  close(timeoutMs: number): Promise<void>;
}

export interface WebPort {
  listen(
    address: { readonly host: string; readonly port: number },
    routes: readonly (Route & { readonly handler: RouteHandler })[],
  ): Promise<WebServer>;
}
