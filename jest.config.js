/** One runner for the whole house. The destination's own tests also run under Segment's jest 27 (see upstream/). */
module.exports = {
  testEnvironment: 'node',
  // Many tests wait for time-outs and for other processes, so that a core less would stand idle.
  maxWorkers: '100%',
  roots: ['<rootDir>/definitions', '<rootDir>/src', '<rootDir>/__tests__'],
  globalSetup: '<rootDir>/__tests__/__helpers__/chromium.ts',
  testMatch: ['**/__tests__/**/*.test.ts'],
  transform: { '^.+\\.tsx?$': 'ts-jest' },
  collectCoverageFrom: ['definitions/**/*.ts', 'src/**/*.ts', '!**/__tests__/**', '!**/generated-types.ts']
}
