'use strict'

const { readFileSync } = require('node:fs')
const { default: JestSequencer } = require('@jest/test-sequencer')

/**
 * The longest first, so that no worker is left with one when the others are done. How long each takes jest knows from the
 * last run. In the first, as in CI, jest goes by size; here those come first that ask for time, as they start processes.
 */
module.exports = class Sequencer extends JestSequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    return sorted.some(({ duration }) => duration !== undefined)
      ? sorted
      : sorted.sort((a, b) => timeAskedBy(b) - timeAskedBy(a))
  }
}

/** Milliseconds. */
function timeAskedBy({ path }) {
  const [, asked = '0'] = /^jest\.setTimeout\(([\d_]+)\)$/m.exec(readFileSync(path, 'utf8')) ?? []
  return Number(asked.replaceAll('_', ''))
}
