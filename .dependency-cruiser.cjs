// Imports point one way: schemas <- core <- {services | adapters} <- runtime <- {cli, tools, test}.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(schemas|core|adapters|services|runtime|cli|tools|test)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    only('schemas-import-nothing', '^schemas/', '^schemas/'),
    only('core-imports-schemas', '^core/', '^(schemas|core)/'),
    only('adapters-import-core', '^adapters/', '^(schemas|core|adapters)/'),
    {
      name: 'no-service-imports-another',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^(services|adapters|runtime|cli|tools|test)/', pathNot: '^services/$1/' },
    },
    only('runtime-knows-both', '^runtime/', '^(schemas|core|adapters|services|runtime)/'),
    only('cli-imports-runtime', '^cli/', '^(schemas|core|runtime|cli)/'),
    {
      name: 'simulators-know-no-client',
      comment: 'A simulator is a vendor: it may not be written from what our own client happens to send.',
      severity: 'error',
      from: { path: '^tools/simulators/' },
      to: { path: '^(schemas|core|adapters|services|runtime|cli|tools/bench|tools/generate)/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^(core|schemas)/' },
      to: {
        dependencyTypes: ['npm', 'core'],
        pathNot: '(node_modules/(avsc|cloudevents|libphonenumber-js)/|^(node:)?crypto$|^(node:)?zlib$)',
      },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
