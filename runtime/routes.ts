/** The routes of all services; until a service runs, its pushes are answered 503 so that the vendor sends them again. */
import type { Route, RouteHandler } from '#core/ports/web.ts';
import type { ServiceHost } from './host.ts';

export function routesOf(
  hosts: readonly Pick<ServiceHost, 'declared' | 'living'>[],
): readonly (Route & { readonly handler: RouteHandler })[] {
  return hosts.flatMap((host) =>
    Object.entries(host.declared.routes).map(([name, route]) => ({
      ...route,
      handler: async (request, signal) => {
        const handler = host.living?.routes[name];
        return handler === undefined ? { status: 503 } : handler(request, signal);
      },
    })),
  );
}
