/** The way to every source: HTTP and gRPC as one port. */
import { fileURLToPath } from 'node:url';
import type { Clock } from '#core/clock.ts';
import type { VendorPort } from '#core/ports/vendor.ts';
import { createGrpc } from './grpc.ts';
import { createHttp } from './http.ts';

export interface VendorOptions {
  readonly clock: Clock;
  /** Certificates trusted beside the usual ones, in PEM; null: none. */
  readonly caFile?: string | null;
  /** Defaults to the definitions in `schemas/vendor`. */
  readonly protoFiles?: readonly string[];
}

export interface Vendor extends VendorPort {
  /** Ends what is still under way. */
  close(): Promise<void>;
}

/** Reads the files it is given at once, and throws `Misconfigured` if it cannot. */
export function createVendor(options: VendorOptions): Vendor {
  const { clock, caFile = null, protoFiles = [ourProtoFile()] } = options;
  const http = createHttp({ clock, caFile });
  const grpc = createGrpc({ caFile, protoFiles });
  return {
    request: (request) => http.request(request),
    call: (rpc, message) => grpc.call(rpc, message),
    stream: (rpc) => grpc.stream(rpc),
    async close() {
      grpc.close();
      await http.close();
    },
  };
}

function ourProtoFile(): string {
  return fileURLToPath(new URL('../../schemas/vendor/salesforce-pubsub.proto', import.meta.url));
}
