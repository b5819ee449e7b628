/*
 * Runs the tests of every mutant in one process. Stryker compiles all mutants into the code and switches on one at a time,
 * so code and tests are loaded once. A jest of its own for each mutant takes seconds, nearly all of them for loading.
 */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import { determineHitLimitReached, DryRunStatus, TestStatus, toMutantRunResult } from '@stryker-mutator/api/test-runner'
import { expect } from 'expect'
import * as circus from 'jest-circus'
import { ModuleMocker } from 'jest-mock'

const FOLDER = 'definitions/emailsendx'
/** Loads a second actions-core through jest's own registry of modules. */
const NEEDS_JEST = 'two-cores.test.ts'
/** A test that hangs is ended by Stryker, with the process: what it leaves running would disturb the next mutant. */
const NO_TIMEOUT_MS = 2 ** 31 - 1
/** In this time what a failed test left running ends, since nothing answers its requests any more. */
const AFTERMATH_MS = 20

/** Where the code with the mutants looks up which one is on, and counts what is run. */
const stryker = (globalThis.__stryker__ ??= {})
const mocks = new ModuleMocker(globalThis)

const idOf = (node) => (node.parent ? `${idOf(node.parent)} ${node.name}`.trim() : '')
/** The outermost block has the name of the file, in which Stryker looks for changes. */
const fileOf = (node) => (node.parent.parent ? fileOf(node.parent) : resolve(FOLDER, node.name))
const testsOf = (node) => (node.type === 'test' ? [node] : node.children.flatMap(testsOf))
const isFailed = ({ errors }) => errors.length > 0

/** What has killed one mutant most likely kills the next, which is a few lines away. */
function runFirst(node) {
  const siblings = node.parent?.children
  if (!siblings) return
  siblings.unshift(...siblings.splice(siblings.indexOf(node), 1))
  runFirst(node.parent)
}

function resultOf(test) {
  const result = { id: idOf(test), name: idOf(test), fileName: fileOf(test), timeSpentMs: test.duration ?? 0 }
  if (!isFailed(test)) return { ...result, status: TestStatus.Success }
  const [error] = test.errors.flat()
  return { ...result, status: TestStatus.Failed, failureMessage: String(error?.message ?? error) }
}

/** Makes what is wanted ready to run, again, and skips the rest, with the hooks of blocks in which nothing is wanted. */
function select(node, isWanted) {
  const some =
    node.type === 'test' ? isWanted(node) : node.children.filter((child) => select(child, isWanted)).length > 0
  node.mode = some ? undefined : 'skip'
  if (node.type === 'test') node.errors = []
  return some
}

class CircusRunner {
  static inject = []
  /** Whether a test has failed, which is enough. */
  #isOver = false

  capabilities() {
    return { reloadEnvironment: false }
  }

  /** Loads code and tests from the copy of the project that Stryker makes, its working directory. */
  init() {
    const require = createRequire(join(process.cwd(), 'package.json'))
    require('tsx/cjs')
    const { describe, it, beforeAll, beforeEach, afterAll, afterEach } = circus
    const jest = { spyOn: mocks.spyOn.bind(mocks) }
    Object.assign(globalThis, { describe, it, beforeAll, beforeEach, afterAll, afterEach, expect, jest })
    process.env.EMAILSENDX_ALLOW_HTTP = '1'
    const paths = readdirSync(FOLDER, { recursive: true }).filter((path) => path.endsWith('.test.ts'))
    for (const path of paths.filter((path) => !path.endsWith(NEEDS_JEST)).sort()) {
      describe(path, () => void require(resolve(FOLDER, path)))
    }
    circus.getState().testTimeout = NO_TIMEOUT_MS
    circus.addEventHandler(({ name, test }) => {
      if (name === 'test_start') stryker.currentTestId = idOf(test)
      if (name === 'test_start' && this.#isOver) test.mode = 'skip'
      if (name === 'test_done') stryker.currentTestId = undefined
      if (name === 'test_done' && isFailed(test)) this.#isOver = true
    })
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      process.on(event, (error) => circus.getState().currentlyRunningTest?.errors.push(error))
    }
  }

  async dryRun() {
    const result = await this.#run(() => true)
    return { ...result, mutantCoverage: stryker.mutantCoverage }
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    const ids = new Set(testFilter)
    Object.assign(stryker, { activeMutant: activeMutant.id, hitLimit, hitCount: 0 })
    const result = await this.#run((test) => !testFilter || ids.has(idOf(test)))
    stryker.activeMutant = undefined
    return toMutantRunResult(determineHitLimitReached(stryker.hitCount, hitLimit) ?? result)
  }

  async #run(isWanted) {
    const root = circus.getState().rootDescribeBlock
    select(root, isWanted)
    this.#isOver = false
    await circus.run()
    mocks.restoreAllMocks()
    const tests = testsOf(root).filter((test) => test.mode !== 'skip')
    const failed = tests.find(isFailed)
    if (failed) {
      runFirst(failed)
      await pause(AFTERMATH_MS)
    }
    return { status: DryRunStatus.Complete, tests: tests.map(resultOf) }
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'circus', CircusRunner)]
