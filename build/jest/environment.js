'use strict'

const { createContext } = require('node:vm')
const { ModernFakeTimers } = require('@jest/fake-timers')
const { ModuleMocker } = require('jest-mock')

/** Jest asks for one, and runs nothing of ours in it. */
const nobodysContext = createContext()

/** A test file has the globals and environment variables of its process (./runtime says why), and leaves them as they were. */
module.exports = class Environment {
  global = globalThis
  moduleMocker = new ModuleMocker(globalThis)
  #globals = Object.getOwnPropertyDescriptors(globalThis)
  #env = Object.getOwnPropertyDescriptors(process.env)
  #exit = process.exit

  constructor({ projectConfig }) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis })
  }

  exportConditions = () => ['node', 'node-addons']
  getVmContext = () => nobodysContext
  setup = async () => undefined

  async teardown() {
    this.fakeTimersModern.dispose()
    restore(globalThis, this.#globals)
    restore(process.env, this.#env)
    // Jest wraps it for each file.
    process.exit = this.#exit
  }
}

/** What a package has put there as it was loaded goes, too; none of ours looks for it later. */
function restore(object, properties) {
  for (const name of Reflect.ownKeys(object)) {
    if (!Object.hasOwn(properties, name)) Reflect.deleteProperty(object, name)
  }
  for (const name of Reflect.ownKeys(properties)) {
    const { value, get } = Object.getOwnPropertyDescriptor(object, name) ?? {}
    const before = properties[name]
    if (!Object.is(value, before.value) || get !== before.get) Object.defineProperty(object, name, before)
  }
}
