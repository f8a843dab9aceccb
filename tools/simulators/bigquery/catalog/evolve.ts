/**
 * Which changes of a schema the service takes by tables.patch and tables.update: columns may be added (NULLABLE or
 * REPEATED), REQUIRED may be relaxed, descriptions and tags may change. Nothing may be dropped, renamed or retyped that way.
 */
import { invalid } from '../refused.ts';
import { fieldNamed, type Field } from './fields.ts';

/** The schema after the change: old columns in their order, new ones after them. */
export function evolved(table: string, old: readonly Field[], wanted: readonly Field[], path = ''): readonly Field[] {
  for (const field of old) {
    if (fieldNamed(wanted, field.name) === undefined)
      throw invalid(
        `Provided Schema does not match Table ${table}. Field ${path}${field.name} is missing in new schema`,
      );
  }
  const kept = old.map((field) => changed(table, field, fieldNamed(wanted, field.name) ?? field, path));
  const added = wanted.filter((field) => fieldNamed(old, field.name) === undefined);
  for (const field of added) {
    if (field.mode === 'REQUIRED')
      throw invalid(
        `Provided Schema does not match Table ${table}. Cannot add required fields to an existing schema. (field: ${path}${field.name})`,
      );
  }
  return [...kept, ...added];
}

function changed(table: string, old: Field, wanted: Field, path: string): Field {
  const at = `${path}${old.name}`;
  if (wanted.type !== old.type)
    throw invalid(
      `Provided Schema does not match Table ${table}. Field ${at} has changed type from ${old.type} to ${wanted.type}`,
    );
  const relaxes = old.mode === 'REQUIRED' && wanted.mode === 'NULLABLE';
  if (wanted.mode !== old.mode && !relaxes)
    throw invalid(
      `Provided Schema does not match Table ${table}. Field ${at} has changed mode from ${old.mode} to ${wanted.mode}`,
    );
  return { ...wanted, name: old.name, fields: evolved(table, old.fields, wanted.fields, `${at}.`) };
}
