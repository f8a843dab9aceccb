/** What the org says about itself: versions, resources, limits, and its objects' fields. */
import type { Express } from 'express';
import { OBJECT_NAMES, PREFIXES, type Field, type Table } from '../../world/index.ts';
import { versionOf } from '../http.ts';
import { VERSIONS } from '../options.ts';
import type { Org } from '../org.ts';
import { isFilterable } from '../soql/check.ts';
import { tableNamed } from './records.ts';

const DATA = '/services/data';

export function mountDescribe(app: Express, org: Org): void {
  app.get(DATA, (_req, res) => {
    res.json(VERSIONS.map((version) => ({ label: `Release ${version}`, url: `${DATA}/v${version}`, version })));
  });
  app.get(`${DATA}/:version`, (req, res) => {
    const base = `${DATA}/${versionOf(req)}`;
    const names = ['limits', 'query', 'queryAll', 'sobjects', 'jobs', 'composite', 'search'];
    res.json(Object.fromEntries(names.map((name) => [name, `${base}/${name}`])));
  });
  app.get(`${DATA}/:version/limits`, (req, res) => {
    versionOf(req);
    res.json(limits(org));
  });
  app.get(`${DATA}/:version/sobjects`, (req, res) => {
    const version = versionOf(req);
    const sobjects = OBJECT_NAMES.map((name) => summary(org.world.tables[name], version));
    res.json({ encoding: 'UTF-8', maxBatchSize: 200, sobjects });
  });
  app.get(`${DATA}/:version/sobjects/:object`, (req, res) => {
    res.json({ objectDescribe: summary(tableNamed(org, req), versionOf(req)), recentItems: [] });
  });
  app.get(`${DATA}/:version/sobjects/:object/describe`, (req, res) => {
    const table = tableNamed(org, req);
    const lists = { childRelationships: [], recordTypeInfos: [], supportedScopes: [] };
    res.json({ ...summary(table, versionOf(req)), fields: table.fields.map(describeField), ...lists });
  });
}

interface Limit {
  readonly Max: number;
  readonly Remaining: number;
}

function limits({ usage, options }: Org): Readonly<Record<string, Limit>> {
  const of = (Max: number, used: number): Limit => ({ Max, Remaining: Math.max(0, Max - used) });
  return {
    DailyApiRequests: of(usage.dailyRequests, usage.requests),
    DailyBulkV2QueryJobs: of(10_000, usage.bulkJobs),
    DailyBulkV2QueryFileStorageMB: of(976_562, 0),
    DailyDeliveredPlatformEvents: of(options.eventAllowance ?? 50_000_000, usage.deliveredEvents),
    MonthlyPlatformEventsUsageEntitlement: of(0, 0),
  };
}

function summary({ object }: Table, version: string): Readonly<Record<string, unknown>> {
  const base = `${DATA}/${version}/sobjects/${object}`;
  const isUser = object === 'User';
  return {
    name: object,
    label: object,
    labelPlural: `${object}s`,
    keyPrefix: PREFIXES[object],
    custom: false,
    customSetting: false,
    createable: true,
    deletable: !isUser,
    undeletable: !isUser,
    updateable: true,
    queryable: true,
    retrieveable: true,
    replicateable: true,
    searchable: true,
    layoutable: true,
    mergeable: ['Account', 'Contact', 'Lead'].includes(object),
    triggerable: true,
    activateable: false,
    deprecatedAndHidden: false,
    urls: { sobject: base, describe: `${base}/describe`, rowTemplate: `${base}/{ID}` },
  };
}

const SOAP_TYPES: Readonly<Record<string, string>> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  address: 'urn:address',
};

function describeField(field: Field): Readonly<Record<string, unknown>> {
  const { name, type, length, precision, scale, nillable, referenceTo, compound, custom, calculated } = field;
  const filterable = isFilterable(type, field);
  const writable = !calculated && field.inEvents;
  return {
    name,
    label: name.replace(/__c$/, '').replaceAll('_', ' '),
    type,
    soapType: SOAP_TYPES[type] ?? 'xsd:string',
    length,
    byteLength: length * 3,
    precision,
    scale,
    digits: type === 'int' ? 8 : 0,
    nillable,
    calculated,
    calculatedFormula: null,
    compoundFieldName: compound,
    createable: writable,
    updateable: writable,
    custom,
    defaultValue: type === 'boolean' ? false : null,
    defaultedOnCreate: type === 'boolean',
    deprecatedAndHidden: false,
    encrypted: false,
    externalId: false,
    filterable,
    groupable: filterable && type !== 'double',
    sortable: filterable,
    idLookup: type === 'id' || type === 'email',
    nameField: name === 'Name',
    picklistValues: [],
    referenceTo,
    relationshipName: type === 'reference' ? name.replace(/Id$/, '') : null,
    polymorphicForeignKey: referenceTo.length > 1,
    unique: false,
    restrictedPicklist: false,
    permissionable: nillable,
    htmlFormatted: false,
    aggregatable: filterable,
    autoNumber: false,
    caseSensitive: false,
    extraTypeInfo: null,
  };
}
