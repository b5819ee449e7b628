/** What `got` brings: ESM only. */
const ESM_PACKAGES =
  'got|@sindresorhus/is|byte-counter|cacheable-lookup|cacheable-request|get-stream|@sec-ant/readable-stream|is-stream|keyv|@keyv/serialize|mimic-response|normalize-url|responselike|lowercase-keys|decompress-response|form-data-encoder|p-cancelable'

// The tests' servers are on this machine (see definitions/emailsendx/connection.ts).
process.env.EMAILSENDX_ALLOW_HTTP = '1'

/** One runner for the whole house. The destination's own tests also run under Segment's jest 27 (see upstream/). */
module.exports = {
  testEnvironment: 'node',
  testSequencer: '<rootDir>/build/jest/sequencer.js',
  // Many tests wait for time-outs and for other processes, so that a core less would stand idle.
  maxWorkers: '100%',
  roots: ['<rootDir>/definitions', '<rootDir>/src', '<rootDir>/__tests__'],
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // A busy machine takes longer; what a test says itself still holds.
  testTimeout: 30_000,
  globalSetup: '<rootDir>/__tests__/__helpers__/set-up.ts',
  globalTeardown: '<rootDir>/__tests__/__helpers__/tear-down.ts',
  testMatch: ['**/__tests__/**/*.test.ts'],
  // Jest's registry of modules knows require() alone.
  transform: { '\\.(js|tsx?)$': ['<rootDir>/build/to-javascript.js', { supported: { 'dynamic-import': false } }] },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_PACKAGES})/)`],
  collectCoverageFrom: ['definitions/**/*.ts', 'src/**/*.ts', '!**/__tests__/**', '!**/generated-types.ts']
}
