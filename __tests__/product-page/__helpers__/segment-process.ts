import { Destination } from '@segment/actions-core'
import definition from '../../../definitions/emailsendx'

/** One of Segment's processes: the destination with its two default presets, and nothing remembered. */
const destination = new Destination(definition)
const subscriptions = (definition.presets ?? []).filter(({ type }) => type === 'automatic')

async function deliver({ event, settings }: { event: object; settings: object }): Promise<void> {
  const results = await destination.onEvent(event as never, { ...settings, subscriptions } as never).catch(String)
  process.send?.(results)
}

process.on('message', (message: Parameters<typeof deliver>[0]) => void deliver(message))
