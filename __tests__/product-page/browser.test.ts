import type { Browser } from 'playwright-core'
import { SANDBOX_KEY, startSandbox, type Sandbox } from '../../src/sandbox'
import { startEndpoint, type Endpoint } from '../senders/__helpers__/endpoint'
import { EVENT, PROPERTIES, TRAITS, USER_ID } from '../senders/__helpers__/recordings'
import { analyticsJs, analyticsJsWithMiddleware } from '../senders/__helpers__/senders'
import { launchBrowser } from '../tester/browser'
import { deliver } from './__helpers__/segment'

interface State {
  requests: { route: string; count: number }[]
}

let endpoint: Endpoint
let browser: Browser
let sandbox: Sandbox
beforeAll(async () => {
  endpoint = await startEndpoint()
  browser = await launchBrowser()
}, 60_000)
afterAll(async () => {
  await browser.close()
  await endpoint.close()
})
beforeEach(async () => (sandbox = await startSandbox({ port: 0 })))
afterEach(() => sandbox.close())

const state = async (): Promise<State> => (await (await fetch(`${sandbox.url}/_sandbox/state`)).json()) as State

it.each([
  ['as it is', analyticsJs, 2],
  ['with the source middleware', analyticsJsWithMiddleware, 1]
])(
  'analytics.js %s: Morgan gets her event and her automation starts',
  async (_, sender, handOvers) => {
    const website = await sender.open(endpoint, browser)
    const calls = [await website.identify(USER_ID, TRAITS), await website.track(EVENT, PROPERTIES)]
    await website.close()

    const settings = { apiKey: SANDBOX_KEY, apiUrl: sandbox.url, defaultListId: 'clx_list_newsletter_id' }
    for (const call of calls) {
      const results = await deliver(call, settings)
      expect(results).toContainEqual(expect.objectContaining({ output: 'Action Executed' }))
    }

    const { email, firstName, lastName, ...metadata } = TRAITS
    const { requests, ...known } = await state()
    expect(known).toMatchObject({
      contacts: [{ email, firstName, lastName, metadata }],
      members: [{ email, listId: 'clx_list_newsletter_id' }],
      events: [{ email, name: EVENT, data: PROPERTIES }],
      automationRuns: [{ email, automationName: 'Post-Purchase Flow', eventName: EVENT }]
    })
    // EmailSendX is told the user id with the identify, and asked for it only where the event says no address.
    expect(requests.find(({ route }) => route === 'POST /api/segment/track')?.count).toBe(handOvers)
  },
  60_000
)
