const { TestEnvironment } = require('jest-environment-node')

/** Skips what is left after the first test that fails: it has killed the mutant. Jest itself can bail between files only. */
module.exports = class extends TestEnvironment {
  handleTestEvent({ name, test }) {
    if (name === 'test_fn_failure' || name === 'hook_failure') this.isKilled = true
    if (name === 'test_start' && this.isKilled) test.mode = 'skip'
  }
}
