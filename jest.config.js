const os = require('node:os')

// The tests' servers are on this machine (see definitions/emailsendx/connection.ts).
process.env.EMAILSENDX_ALLOW_HTTP = '1'

/** One runner for the whole house. The destination's own tests also run under Segment's jest 27 (see upstream/). */
module.exports = {
  // Packages are loaded once for all test files of a process, what is ours for each.
  runtime: '<rootDir>/build/jest/runtime.js',
  testEnvironment: '<rootDir>/build/jest/environment.js',
  // Each file's own, which tells of what is logged after its end.
  sandboxInjectedGlobals: ['console'],
  testSequencer: '<rootDir>/build/jest/sequencer.js',
  // Many tests wait for time-outs and for other processes: two cores are busy with three workers.
  maxWorkers: Math.ceil(os.availableParallelism() * 1.5),
  roots: ['<rootDir>/definitions', '<rootDir>/src', '<rootDir>/__tests__'],
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // A busy machine takes longer; what a test says itself still holds.
  testTimeout: 30_000,
  globalSetup: '<rootDir>/__tests__/__helpers__/set-up.ts',
  globalTeardown: '<rootDir>/__tests__/__helpers__/tear-down.ts',
  testMatch: ['**/__tests__/**/*.test.ts'],
  // Jest's registry of modules knows require() alone.
  transform: { '\\.tsx?$': ['<rootDir>/build/to-javascript.js', { supported: { 'dynamic-import': false } }] },
  collectCoverageFrom: ['definitions/**/*.ts', 'src/**/*.ts', '!**/__tests__/**', '!**/generated-types.ts']
}
