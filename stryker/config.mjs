// Mutation tests of the destination: npm run mutate. They take long, and stand beside CI.
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'jest',
  jest: { configFile: 'stryker/jest.config.js' },
  // Texts for people are no rules, and mutants in them say nothing about the tests.
  mutator: { excludedMutations: ['StringLiteral'] },
  mutate: [
    'definitions/emailsendx/**/*.ts',
    '!definitions/**/__tests__/**',
    '!definitions/**/generated-types.ts',
    // Fields and presets: data, which the contract tests and metadata.json hold.
    '!definitions/emailsendx/{index,common-fields,constants,functions,types,triggers,versioning-info}.ts',
    '!definitions/emailsendx/*/index.ts'
  ],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: 1,
  reporters: ['clear-text', 'html', 'progress'],
  htmlReporter: { fileName: 'coverage/mutation.html' },
  tempDirName: 'coverage/.stryker',
  thresholds: { high: 95, low: 95, break: 95 }
}
