'use strict'

const { createHash } = require('node:crypto')
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { isMainThread } = require('node:worker_threads')

/*
 * Once this file is required, `require` reads TypeScript: a checkout runs its sources as they stand. tsx does the same, and more,
 * at twice the CPU time for each process and thread that starts.
 */

/** Below node_modules: `npm ci` clears it away. */
const CACHE = path.join(__dirname, '../node_modules/.cache/typescript')
/** What was made in another way is made anew. */
const MADE_BY = readFileSync(path.join(__dirname, 'to-javascript.js'))

for (const extension of ['.ts', '.tsx']) {
  require.extensions[extension] = (module, file) => module._compile(load(file), file)
}
// Reading the maps takes a while, and of the errors of a thread only the messages get out.
if (isMainThread) process.setSourceMapsEnabled(true)

function load(file) {
  const source = readFileSync(file, 'utf8')
  const name = createHash('sha256').update(MADE_BY).update(path.basename(file)).update(source).digest('hex')
  const kept = path.join(CACHE, `${name}.js`)
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const code = require('./to-javascript').toJavaScript(source, file)
    keep(kept, code)
    return code
  }
}

/** Whoever reads it at the same time sees all of it or nothing. Where nothing can be kept, it is made each time. */
function keep(file, code) {
  try {
    mkdirSync(CACHE, { recursive: true })
    const fresh = `${file}.${process.pid}`
    writeFileSync(fresh, code)
    renameSync(fresh, file)
  } catch {
    // A folder of somebody else, or a full disk.
  }
}
