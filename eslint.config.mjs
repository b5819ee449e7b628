import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import tseslint from 'typescript-eslint'

const tests = ['**/__tests__/**/*.{ts,tsx}']
const nodeScript = {
  require: 'readonly',
  module: 'writable',
  process: 'readonly',
  console: 'readonly',
  __dirname: 'readonly'
}

/** Segment's monorepo lints `lodash/<method>` imports and forbids `createHash` (PR 2861 there); the rest of its rules are below. */
const segmentImports = {
  paths: [
    { name: 'lodash', message: "Import one method: import get from 'lodash/get'." },
    {
      name: 'crypto',
      importNames: ['createHash'],
      message: "Segment's linter refuses it; hashing belongs to their lib/hashing-utils."
    },
    { name: 'node:crypto', importNames: ['createHash'], message: "Segment's linter refuses it." }
  ],
  patterns: [{ group: ['@segment/actions-core/*'], message: 'Import from the package root, @segment/actions-core.' }]
}

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', 'coverage/', 'upstream/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-imports': ['error', { paths: segmentImports.paths.slice(0, 1) }],
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': 'allow-with-description', 'ts-ignore': 'allow-with-description', 'ts-nocheck': true }
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true }
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }]
    }
  },
  // The command line loads only what it runs, so that it speaks sooner. import() would pass by what reads TypeScript (build/).
  { files: ['src/cli/*.ts'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['definitions/**/*.ts'], rules: { 'no-restricted-imports': ['error', segmentImports] } },
  {
    files: tests,
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  { files: ['**/*.js'], languageOptions: { sourceType: 'commonjs', globals: nodeScript } },
  prettier
)
