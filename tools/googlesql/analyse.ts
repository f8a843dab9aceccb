/** Asks the analyzer about statements over tables that are given by their columns. */
import { asBigQuery, OPTIONS } from './language.ts';
import type { SqlColumn, SqlRequest, SqlTable, SqlVerdict } from './protocol.ts';
import type { AnalyzerServer } from './server.ts';

/** gRPC's code for what the analyzer refuses; any other is a fault of ours or of the machine. */
const INVALID_ARGUMENT = 3;
/** GoogleSQL's name of a type, where the protocol has another. */
const KINDS: Readonly<Record<string, string>> = { FLOAT64: 'DOUBLE' };
const NAMES: Readonly<Record<string, string>> = { DOUBLE: 'FLOAT64' };

/** The verdict of each statement, in order. Throws what is no verdict: a table with an unknown type, a lost server. */
export async function analyse(server: AnalyzerServer, request: SqlRequest): Promise<readonly SqlVerdict[]> {
  const languageOptions = asBigQuery(await server.call('GetLanguageOptions', { maximumFeatures: true }));
  const tables = [...request.tables];
  const verdicts: SqlVerdict[] = [];
  let catalog = await register(server, languageOptions, tables);
  for (const { sql, becomes = [] } of request.statements) {
    const verdict = await judge(server, languageOptions, catalog, sql);
    verdicts.push(verdict);
    if (!verdict.ok || becomes.length === 0) continue;
    tables.push(...becomes.map((name) => ({ name, columns: verdict.columns })));
    await server.call('UnregisterCatalog', { registeredId: catalog });
    catalog = await register(server, languageOptions, tables);
  }
  await server.call('UnregisterCatalog', { registeredId: catalog });
  return verdicts;
}

async function register(server: AnalyzerServer, languageOptions: object, tables: readonly SqlTable[]): Promise<string> {
  const simpleCatalog = { ...catalogOf('bigquery', tables), builtinFunctionOptions: { languageOptions } };
  const definitions = [{ builtin: {} }];
  const answer = await server.call('RegisterCatalog', { simpleCatalog, descriptorPoolList: { definitions } });
  return String(answer['registeredId']);
}

/** A table is found by its path in one pair of backticks, as BigQuery allows, and by its path part by part. */
function catalogOf(name: string, tables: readonly SqlTable[]): object {
  const inside = Map.groupBy(
    tables.filter((table) => table.name.includes('.')),
    (table) => table.name.slice(0, table.name.indexOf('.')),
  );
  return {
    name,
    table: tables.map(tableOf),
    catalog: [...inside].map(([child, its]) =>
      catalogOf(
        child,
        its.map((table) => ({ ...table, name: table.name.slice(child.length + 1) })),
      ),
    ),
  };
}

function tableOf({ name, columns }: SqlTable): object {
  return {
    name,
    column: columns.map((column) => ({
      name: column.name,
      type: { typeKind: `TYPE_${KINDS[column.type] ?? column.type}` },
    })),
  };
}

async function judge(
  server: AnalyzerServer,
  languageOptions: object,
  registeredCatalogId: string,
  sqlStatement: string,
): Promise<SqlVerdict> {
  const options = {
    languageOptions,
    allowedHintsAndOptions: OPTIONS,
    errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
    defaultTimezone: 'UTC',
  };
  try {
    const answer = await server.call('Analyze', { registeredCatalogId, sqlStatement, options });
    return { ok: true, columns: columnsOf(answer) };
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== INVALID_ARGUMENT) throw error;
    return { ok: false, error: String((error as { readonly details?: unknown }).details) };
  }
}

/** The statement's own list of output columns: of its wrappers only, never of a query within it. */
function columnsOf(node: unknown): readonly SqlColumn[] {
  if (typeof node !== 'object' || node === null) return [];
  const { outputColumnList, ...others } = node as Readonly<Record<string, unknown>>;
  if (Array.isArray(outputColumnList)) return outputColumnList.map(column);
  for (const [name, value] of Object.entries(others)) {
    if (!/^(resolvedStatement|resolved\w*Node|parent)$/i.test(name)) continue;
    const found = columnsOf(value);
    if (found.length > 0) return found;
  }
  return [];
}

function column(output: unknown): SqlColumn {
  const { name, column } = output as {
    readonly name?: string;
    readonly column?: { readonly type?: { readonly typeKind?: string } };
  };
  const kind = (column?.type?.typeKind ?? '').replace('TYPE_', '');
  return { name: name ?? '', type: NAMES[kind] ?? kind };
}
