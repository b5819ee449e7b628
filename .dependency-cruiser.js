/** Who may know whom (docs/architecture.md). `npm run lint` fails on the first import that breaks a rule. */

const test = '/__tests__/'
/** What something else than an import starts: bin/run, programs that use the package, the page, Segment's monorepo. */
const entries = [
  '^src/cli/(main|definition-commands)\\.ts$',
  '^src/index\\.ts$',
  '^src/tester-web/(main\\.tsx|bundle\\.ts)$',
  '^definitions/[^/]+/index\\.ts$'
]
/** What is not in the package: the page's sources, which are bundled, and the commands for whoever changes a definition. */
const checkoutOnly = [
  '^src/tester-web/',
  '^src/upstream/',
  '^src/actions-cli/(types|metadata|generated-file|validate)\\.ts$',
  '^src/cli/(definition-commands|upstream)\\.ts$'
]

/** What Segment's destination package has in its own dependencies. */
const upstreamPackages = ['@segment/actions-core', 'lodash', 'lru-cache', 'dayjs']
const packagePath = (names) => `^node_modules/(${names.join('|')})/`

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbidden(
      'definition-stands-alone',
      "definitions/<name> moves into Segment's monorepo unchanged: only its own files and the packages that are there already",
      { path: '^definitions/([^/]+)/', pathNot: test },
      { pathNot: ['^definitions/$1/', packagePath(upstreamPackages)] }
    ),
    forbidden(
      'definition-tests-stand-alone',
      "the destination's own tests run in Segment's monorepo, which has jest, nock and Node",
      { path: `^definitions/([^/]+)/.*${test.slice(1)}` },
      {
        pathNot: ['^definitions/$1/', packagePath([...upstreamPackages, 'nock', '@types/jest'])],
        dependencyTypesNot: ['core']
      }
    ),
    forbidden(
      'sandbox-is-written-from-the-api',
      'a mistake in the destination must not be made a second time in the sandbox that judges it',
      { path: '^src/sandbox/' },
      { path: '^(definitions|src/(actions-cli|bridge|serve|tester-web|cli))/' }
    ),
    forbidden(
      'bridge-knows-no-serve',
      'bridge and serve never import each other',
      { path: '^src/bridge/' },
      { path: '^src/serve/' }
    ),
    forbidden(
      'serve-knows-no-bridge',
      'bridge and serve never import each other',
      { path: '^src/serve/' },
      { path: '^src/bridge/' }
    ),
    forbidden(
      'page-is-told-over-http',
      'the page knows what serve, bridge and sandbox answer by its type: nothing of theirs goes into the bundle',
      { path: '^src/tester-web/' },
      { path: '^src/(serve|bridge|sandbox)/', dependencyTypesNot: ['type-only'] }
    ),
    forbidden(
      'sandbox-stays-out-of-production',
      'only the command line and tests put the sandbox beside the bridge or the local server',
      { path: '^src/(bridge|serve|actions-cli)/', pathNot: test },
      { path: '^src/sandbox/' }
    ),
    forbidden(
      'definition-tools-are-for-cli-serve-and-upstream',
      'src/actions-cli loads and describes a destination; the bridge runs one directly',
      { path: '^src/', pathNot: ['^src/(cli|serve|upstream|actions-cli)/', test] },
      { path: '^src/actions-cli/' }
    ),
    forbidden(
      'replay-stands-on-the-bridge',
      'a replay goes through the queue and delivery of the bridge, and nothing of the house goes through a replay',
      { path: '^src/(?!cli/|replay/)' },
      { path: '^src/replay/' }
    ),
    forbidden(
      'replay-knows-no-other-room',
      'a replay needs the bridge, the destination, events in files and what all share',
      { path: '^src/replay/', pathNot: test },
      { path: '^src/(?!replay/|bridge/|event-files/|http/|typescript\\.ts$)' }
    ),
    forbidden(
      'event-files-only-read',
      'what becomes of the events in a file is for whoever reads it',
      { path: '^src/event-files/', pathNot: test },
      { path: '^(definitions/|src/(?!event-files/|http/))' }
    ),
    forbidden(
      'cli-is-the-edge',
      'nothing imports the command line',
      { path: '^src/(?!cli/)', pathNot: test },
      { path: '^src/cli/' }
    ),
    forbidden(
      'light-thread',
      "this thread starts with each store: it loads what SQL needs, and none of Segment's library",
      { path: '^src/bridge/queue/drivers/sqlite-thread\\.ts$' },
      { path: packagePath(['@segment/actions-core']), reachable: true }
    ),
    forbidden('no-circular', 'two modules that need each other are one module, or three', {}, { circular: true }),
    forbidden(
      'no-dead-module',
      'nothing but tests needs this module: delete it',
      { path: entries },
      { path: '^(src|definitions)/', pathNot: [test, ...entries], reachable: false }
    ),
    forbidden(
      'no-dev-dependency',
      'whoever installs the package does not have this one',
      { path: '^(definitions|src)/', pathNot: [test, ...checkoutOnly] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] }
    ),
    forbidden(
      'not-in-the-package',
      'this module is in checkouts only, and the command line asks for it only there',
      { path: '^(definitions|src)/', pathNot: [test, '^src/cli/main\\.ts$', ...checkoutOnly] },
      { path: checkoutOnly }
    ),
    forbidden(
      'no-undeclared',
      'this package is not in package.json',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }
    ),
    forbidden('no-unresolvable', 'this import leads nowhere', {}, { couldNotResolve: true }),
    forbidden(
      'no-test-code',
      'only tests import test code',
      { pathNot: [test, '^__tests__/', '^bench/'] },
      { path: test }
    )
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    // bench/ has a package.json beside the one of the house.
    combinedDependencies: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] }
  }
}
