const { transformSync } = require('esbuild')

/** Packages that are ESM only, for jest: its module registry knows require() alone, where Node ≥ 20.19 loads both. */
module.exports = {
  process: (source, file) => transformSync(source, { format: 'cjs', sourcefile: file, sourcemap: 'inline' })
}
