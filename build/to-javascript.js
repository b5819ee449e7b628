'use strict'

const path = require('node:path')
const { transformSync } = require('esbuild')

/**
 * JavaScript for Node, with its source map. Types are checked elsewhere (`npm run typecheck`).
 * @param {string} source TypeScript
 * @param {string} file its extension says what it is; of its place only the name gets into the result
 * @param {import('esbuild').TransformOptions} [options] more of them
 * @throws SyntaxError with the path and the line of each mistake
 */
function toJavaScript(source, file, options) {
  const { base, ext } = path.parse(file)
  try {
    return transformSync(source, {
      loader: ext.slice(1),
      format: 'cjs',
      target: 'node20',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      sourcefile: base,
      sourcemap: 'inline',
      sourcesContent: false,
      ...options
    }).code
  } catch (error) {
    throw new SyntaxError(error.message.replaceAll(`\n${base}:`, `\n${file}:`), { cause: error })
  }
}

module.exports = {
  toJavaScript,
  /** Called by jest, which keeps the result. */
  process: (source, file, { transformerConfig }) => ({ code: toJavaScript(source, file, transformerConfig) })
}
