/** Who may ask whom (DESIGN: the two arrows). Every module may use the platform, the contracts and the pure core. */
const asks = {
  'billing-core': [],
  contracts: [],
  platform: [],
  features: [],
  plans: ['features'],
  customers: [],
  subscriptions: ['customers', 'plans', 'features'],
  wallets: ['customers'],
  metering: ['customers', 'features', 'subscriptions', 'wallets'],
  invoicing: ['customers', 'subscriptions', 'metering', 'wallets'],
  stripe: ['customers'],
};

const everyone = {
  'billing-core': [],
  contracts: ['billing-core'],
  platform: ['billing-core', 'contracts'],
};

const mayUse = (lib) => [lib, ...(everyone[lib] ?? ['billing-core', 'contracts', 'platform']), ...asks[lib]].join('|');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.keys(asks).map((lib) => ({
      name: `asks-of-${lib}`,
      comment: `libs/${lib} may import only: ${mayUse(lib).replaceAll('|', ', ')}`,
      severity: 'error',
      from: { path: `^libs/${lib}/` },
      to: { path: '^libs/', pathNot: `^libs/(${mayUse(lib)})/` },
    })),
    {
      name: 'lib-face-only',
      comment: 'another lib is imported only through its src/index.ts',
      severity: 'error',
      from: { path: '^(?:libs|apps)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'no-index-inside',
      comment: 'inside a lib the file is imported, not the index',
      severity: 'error',
      from: { path: '^libs/([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/$1/src/index\\.ts$' },
    },
    { name: 'libs-know-no-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^(apps|migrations)/' } },
    {
      name: 'apps-apart',
      comment: 'the sandbox and the demo are programs of their own',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'pure-core',
      comment: 'billing-core is arithmetic: no framework, no ORM, no Node, nothing but decimals and zones',
      severity: 'error',
      from: { path: '^libs/billing-core/src/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/billing-core/', '^node_modules/(decimal\\.js|luxon|@types/luxon)/'] },
    },
    {
      name: 'stripe-only-in-stripe',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '^(libs/stripe|apps/stripe-sandbox)/' },
      to: { path: '^node_modules/stripe/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { path: '^(apps|libs)/[^/]+/src', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts', '.d.mts'],
    },
  },
};
