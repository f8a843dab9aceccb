/**
 * GoogleSQL as BigQuery speaks it. The analyzer knows more than BigQuery does; which of its features BigQuery has is not
 * published, so those are left out of which it is known that it has not. What remains may still be wider than BigQuery.
 */

/** In BigQuery's reference, and not among those that the analyzer's makers call finished. */
const BIGQUERYS = [
  'FEATURE_INTERVAL_TYPE',
  'FEATURE_ALTER_COLUMN_SET_DATA_TYPE',
  'FEATURE_CREATE_VIEWS_WITH_COLUMN_OPTIONS',
  'FEATURE_V_1_3_COLLATION_SUPPORT',
  'FEATURE_V_1_4_GROUPING_SETS',
  'FEATURE_V_1_4_GROUPING_BUILTIN',
];

/** Parts of the language of Google's other engines, and tests of the analyzer itself. */
const NOT_BIGQUERYS =
  /^FEATURE_(SPANNER|TEST_|EXPERIMENTAL|ENCRYPTION|ANONYMIZATION|TIMESTAMP_NANOS|PROTO_BASE|BETWEEN_UINT64|DISALLOW_GROUP_BY_FLOAT|V_1_4_(WITH_EXPRESSION|BARE_ARRAY|STRUCT_POSITIONAL|FIRST_AND_LAST_N|NULLIFZERO|PI_FUNCTIONS|SQL_MACROS|TTL|ORDERED_PRIMARY))/;

export function asBigQuery(all: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const features = Array.isArray(all['enabledLanguageFeatures']) ? all['enabledLanguageFeatures'].map(String) : [];
  return {
    ...all,
    productMode: 'PRODUCT_EXTERNAL',
    enabledLanguageFeatures: [...features.filter((name) => !NOT_BIGQUERYS.test(name)), ...BIGQUERYS],
    // Empty: every kind of statement, DDL too.
    supportedStatementKinds: [],
    reservedKeywords: ['QUALIFY'],
  };
}

const STRING = { typeKind: 'TYPE_STRING' };
const LABEL = { structType: { field: [{ fieldName: 'name', fieldType: STRING }, { fieldName: 'value', fieldType: STRING }] } }; // prettier-ignore

/**
 * The options that we may use, with their types; any other name is refused, so a misspelt one is found.
 * Source: BigQuery's DDL reference, table_option_list, view_option_list, column_option_list, schema_option_list.
 */
export const OPTIONS = {
  disallowUnknownOptions: true,
  disallowDuplicateOptionNames: true,
  option: [
    { name: 'description', type: STRING },
    { name: 'friendly_name', type: STRING },
    { name: 'location', type: STRING },
    { name: 'default_collation', type: STRING },
    { name: 'labels', type: array({ typeKind: 'TYPE_STRUCT', ...LABEL }) },
    { name: 'policy_tags', type: array(STRING) },
    { name: 'max_staleness', type: { typeKind: 'TYPE_INTERVAL' } },
    { name: 'require_partition_filter', type: { typeKind: 'TYPE_BOOL' } },
    { name: 'partition_expiration_days', type: { typeKind: 'TYPE_DOUBLE' } },
  ],
};

function array(elementType: object): object {
  return { typeKind: 'TYPE_ARRAY', arrayType: { elementType } };
}
