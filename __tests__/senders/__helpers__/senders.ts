import { readFileSync } from 'node:fs'
import path from 'node:path'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'
import type { Browser } from 'playwright-core'
import { WRITE_KEY, type Call, type Endpoint } from './endpoint'

type Values = NonNullable<Parameters<RudderAnalytics['track']>[0]['properties']>

/** A library at work; each call resolves with what arrived at the endpoint. */
export interface Session {
  identify(userId: string, traits: Values): Promise<Call>
  track(event: string, properties: Values): Promise<Call>
  close(): Promise<void>
}

export interface Sender {
  /** As docs/addresses.md calls it. */
  name: string
  open(endpoint: Endpoint, browser: Browser): Promise<Session>
}

const version = (name: string): string => {
  const file = path.join(__dirname, '../../../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
const named = (name: string) => `\`${name}\` ${version(name)}`

/** The source middleware that docs/addresses.md tells owners of websites to add. */
function middleware(): string {
  const page = readFileSync(path.join(__dirname, '../../../docs/addresses.md'), 'utf8')
  const [script] = /(?<=```js\n)analytics\.addSourceMiddleware[^]*?(?=```)/.exec(page) ?? []
  if (!script) throw new Error('docs/addresses.md shows no source middleware')
  return script
}

/** The library in a page of its own. @param script what the owner of the website adds before any call */
async function visit(endpoint: Endpoint, browser: Browser, pathname: string, script?: string): Promise<Session> {
  const context = await browser.newContext({ locale: 'en-US', timezoneId: 'America/New_York' })
  // Where a machine has no network but loopback, the browser calls itself offline, and the libraries keep their events.
  await context.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => true }))
  const page = await context.newPage()
  await page.goto(endpoint.origin + pathname)
  if (script) await page.addScriptTag({ content: script })
  const call = async (method: string, name: string, values: Values): Promise<Call> => {
    await page.addScriptTag({ content: `analytics.${method}(${JSON.stringify(name)}, ${JSON.stringify(values)})` })
    return (await endpoint.take(1))[0]
  }
  return {
    identify: (userId, traits) => call('identify', userId, traits),
    track: (event, properties) => call('track', event, properties),
    close: () => context.close()
  }
}

export const analyticsJs: Sender = {
  name: `analytics.js in a browser (${named('@segment/analytics-next')})`,
  open: (endpoint, browser) => visit(endpoint, browser, '/segment')
}

export const analyticsJsWithMiddleware: Sender = {
  name: 'the same with the source middleware below',
  open: (endpoint, browser) => visit(endpoint, browser, '/segment', middleware())
}

export const rudderStackJs: Sender = {
  name: `RudderStack in a browser (${named('@rudderstack/analytics-js')})`,
  open: (endpoint, browser) =>
    visit(
      endpoint,
      browser,
      '/rudderstack',
      `window.analytics = new rudderanalytics.RudderAnalytics()
       analytics.load('${WRITE_KEY}', location.origin, { configUrl: location.origin })`
    )
}

/** A server library is told the user with each call. @param common what else each track is given */
const segmentNode = (name: string, common: Values): Sender => ({
  name,
  async open({ origin, take }) {
    const analytics = new Analytics({ writeKey: WRITE_KEY, host: origin, path: '/v1/batch', flushAt: 1 })
    let userId = ''
    return {
      async identify(id, traits) {
        userId = id
        analytics.identify({ userId, traits })
        return (await take(1))[0]
      },
      async track(event, properties) {
        analytics.track({ userId, event, properties, ...common })
        return (await take(1))[0]
      },
      close: () => analytics.closeAndFlush()
    }
  }
})

export const analyticsNode = segmentNode(`Segment on a server (${named('@segment/analytics-node')})`, {})

export const analyticsNodeWithContext = segmentNode('the same with `context.traits` given, as below', {
  context: { traits: { email: 'morgan@acme.com' } }
})

export const rudderStackNode: Sender = {
  name: `RudderStack on a server (${named('@rudderstack/rudder-sdk-node')})`,
  async open({ origin, take }) {
    const analytics = new RudderAnalytics(WRITE_KEY, { dataPlaneUrl: origin, flushAt: 1 })
    let userId = ''
    return {
      async identify(id, traits) {
        userId = id
        analytics.identify({ userId, traits })
        return (await take(1))[0]
      },
      async track(event, properties) {
        analytics.track({ userId, event, properties })
        return (await take(1))[0]
      },
      close: async () => void (await analytics.flush())
    }
  }
}

export const SENDERS = [
  analyticsJs,
  analyticsJsWithMiddleware,
  analyticsNode,
  analyticsNodeWithContext,
  rudderStackJs,
  rudderStackNode
]
