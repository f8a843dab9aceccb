/**
 * `infra/topology.json`: what Terraform makes, derived from the service values and the schemas. Terraform loops over it and
 * names no service, topic or table, so that a new one changes no Terraform.
 */
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import type { Table, View } from '#core/ports/warehouse.ts';
import type { AnyService } from '#core/service.ts';
import { RUNTIME_CONFIG } from '#runtime/settings.ts';
import { settingsOf } from './configuration.ts';
import { pubsubOf } from './pubsub.ts';
import { serviceOf } from './service.ts';
import { tableOf, viewOf } from './warehouse.ts';

export type Infra = ReturnType<typeof infraOf>;

export function infraOf(
  services: readonly AnyService[],
  tables: readonly Table[] = Object.values(TABLES),
  views: readonly View[] = VIEWS,
) {
  return {
    ...pubsubOf(services),
    tables: Object.fromEntries(tables.map((table) => [table.name, tableOf(table)])),
    views: Object.fromEntries(views.map((view) => [view.name, viewOf(view)])),
    services: Object.fromEntries(services.map(({ declared }) => [declared.name, serviceOf(declared)])),
    settings: settingsOf(RUNTIME_CONFIG),
  };
}

export function infraText(services: readonly AnyService[]): string {
  return `${JSON.stringify(infraOf(services), null, 2)}\n`;
}
