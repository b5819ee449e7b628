import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../tester/browser'
import { startEndpoint, type Call, type Endpoint } from './__helpers__/endpoint'
import { recordSamples, senderTable } from './__helpers__/recordings'

const root = path.join(__dirname, '../..')

let endpoint: Endpoint
let browser: Browser
beforeAll(async () => {
  endpoint = await startEndpoint()
  browser = await launchBrowser()
}, 60_000)
afterAll(async () => {
  await browser.close()
  await endpoint.close()
})

/** What a destination reads of a call; the rest tells of the machine that recorded it. */
function essence({ type, event, userId, traits, properties, context }: Call) {
  const { traits: contextTraits, library } = context as Call
  return { type, event, userId, traits, properties, contextTraits, library }
}

it('the events in .segment are what the libraries send today', async () => {
  const samples = await recordSamples(endpoint, browser)
  for (const [name, sample] of Object.entries(samples)) {
    const file = JSON.parse(readFileSync(path.join(root, `.segment/events/${name}.json`), 'utf8')) as Call | Call[]
    expect([name, [file].flat().map(essence)]).toEqual([name, [sample].flat().map(essence)])
  }
}, 60_000)

it('the table of docs/addresses.md says where the libraries put an address', async () => {
  const page = readFileSync(path.join(root, 'docs/addresses.md'), 'utf8')
  const table = /(?<=<!-- senders.*-->\n)[^]*(?=<!-- \/senders -->)/.exec(page)?.[0] ?? ''
  const rows = (table.match(/^\|.*\|$/gm) ?? []).slice(2)
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )
  expect(cells).toEqual(await senderTable(endpoint, browser))
}, 60_000)
