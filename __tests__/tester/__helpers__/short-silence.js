'use strict'

const { setTimeout } = require('node:timers')

/* Required before all else in a process whose time-outs nobody wants to wait for: half a minute takes a second. */
globalThis.setTimeout = (action, ms, ...given) => setTimeout(action, ms === 30_000 ? 1_000 : ms, ...given)
