'use strict'

const { createRequire } = require('node:module')
const path = require('node:path')
const { compileFunction } = require('node:vm')
const { default: JestRuntime } = require('jest-runtime')

const PACKAGES = `${path.sep}node_modules${path.sep}`

/** Jest names tests that run concurrently by it, and makes every promise slower on Node 20. There are none here. */
const asyncHooksOfJest = {
  AsyncLocalStorage: class {
    run = (_store, callback) => callback()
    getStore = () => undefined
  }
}

/**
 * Loads what is ours as jest does, anew for each test file. Packages, most of what a file needs, are loaded by Node, as in
 * production, once for all files of a process: what one keeps in a variable stays. So that `instanceof` holds among both,
 * they have the same globals, which ./environment puts back after each file.
 *
 * Overrides methods of jest-runtime that jest does not document; its version is exact.
 */
module.exports = class Runtime extends JestRuntime {
  requireModule(from, name, options, isActual) {
    // Within jest.isolateModules a package is loaded anew, too, as by jest.
    if (!options?.isInternalModule && !this._isolatedModuleRegistry && name && !this._resolver.isCoreModule(name)) {
      const file = this._resolveCjsModule(from, name)
      if (file.includes(PACKAGES)) return require(file)
    }
    return super.requireModule(from, name, options, isActual)
  }

  /** Of jest's own modules those that hold the tests of a file are loaded anew, not what they need: expect.extend stays, too. */
  requireInternalModule(from, name) {
    if (!name) return super.requireInternalModule(from)
    return name === 'async_hooks' ? asyncHooksOfJest : createRequire(from)(name)
  }

  createScriptFromCode(code, filename) {
    return compileFunction(code, this.constructInjectedModuleParameters(), { filename })
  }
}
