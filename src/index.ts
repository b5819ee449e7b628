/** What a program gets from the package: each starts a server and tells its address. */
export { startBridge } from './bridge'
export type { Bridge, BridgeOptions } from './bridge'
export { startSandbox } from './sandbox'
export type { Sandbox, SandboxOptions } from './sandbox'
export { startServe } from './serve'
export type { ServeOptions } from './serve'
