/** Only the destination, and without type checks: a mutant that does not compile is no mutant of the program. */
module.exports = {
  rootDir: '..',
  testEnvironment: require.resolve('./environment'),
  roots: ['<rootDir>/definitions', '<rootDir>/stryker'],
  testMatch: ['<rootDir>/stryker/tests.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { isolatedModules: true, diagnostics: false }] }
}
