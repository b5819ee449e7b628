import { startBridge } from '../../..'
import type { BridgeOptions } from '../../..'

/*
 * A bridge in a process of its own, to be killed. Tells its URL when it is ready, and stops by SIGTERM like the real one.
 */
void startBridge(JSON.parse(process.argv[2]) as BridgeOptions).then((bridge) => {
  process.on('SIGTERM', () => void bridge.close().then(() => process.disconnect()))
  process.send?.({ url: bridge.url })
})
