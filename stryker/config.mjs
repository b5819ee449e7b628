import { join } from 'node:path'

// Mutation tests of the destination: npm run mutate. They take minutes, and stand beside CI.
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  plugins: [join(import.meta.dirname, 'runner.mjs')],
  testRunner: 'circus',
  mutate: ['definitions/emailsendx/**/*.ts', '!definitions/**/__tests__/**', '!definitions/**/generated-types.ts'],
  coverageAnalysis: 'perTest',
  // What is evaluated once, when a file loads: fields and presets. It is data, which the contract tests and metadata.json hold.
  ignoreStatic: true,
  concurrency: 1,
  // A test that hangs is ended after this time more than it takes; a loop that never ends, by its number of rounds.
  timeoutMS: 30_000,
  // What did not change since the last run keeps its result. Afresh: npm run mutate -- --force
  incremental: true,
  incrementalFile: 'coverage/mutation.json',
  reporters: ['clear-text', 'html', 'progress'],
  clearTextReporter: { reportTests: false },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  tempDirName: 'coverage/.stryker',
  thresholds: { high: 95, low: 95, break: 95 }
}
