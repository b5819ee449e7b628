import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Page } from 'playwright-core'
import {
  closeBrowser,
  open,
  openBrowser,
  paste,
  preview,
  sample,
  send,
  takeComplaints,
  typed
} from './__helpers__/page'
import { SANDBOX_KEY, startStack } from './__helpers__/stack'
import type { Stack } from './__helpers__/stack'

jest.setTimeout(60_000)

let samples: string
let stack: Stack
let page: Page

beforeAll(async () => {
  samples = await mkdtemp(path.join(os.tmpdir(), 'samples-'))
  await cp(path.join(__dirname, '../../.segment'), samples, { recursive: true })
  ;[stack] = await Promise.all([startStack({ env: { EMAILSENDX_SAMPLES: samples } }), openBrowser()])
})
afterAll(async () => {
  await closeBrowser()
  await stack.close()
  await rm(samples, { recursive: true })
})

/** Before each test, or once for tests that each begin with an event of their own. */
const openPage = async () => void (page = await open(stack))
const closePage = () => page.context().close()

beforeEach(() => fetch(`${stack.sandbox}/_sandbox/reset`, { method: 'POST' }))
afterEach(() => expect(takeComplaints()).toEqual([]))

const results = () => page.locator('.results')
const outside = () => page.getByRole('region', { name: 'What EmailSendX has' })
const identify = (email: string, traits: object = {}) => ({ type: 'identify', traits: { email, ...traits } })
const upsert = (contacts: object[]) =>
  fetch(`${stack.sandbox}/api/v1/contacts/bulk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SANDBOX_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contacts })
  })

describe('what people have is pasted', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it.each([
    [
      'calls of analytics',
      "analytics.identify('u1', {email: 'ada@example.com'})\nanalytics.track('Paid', {amount: 9})"
    ],
    [
      'the batch of a request',
      '{"batch":[{"type":"identify","traits":{"email":"ada@example.com"}},{"type":"track","event":"Paid"}]}'
    ],
    ['one event a line', '{"type":"identify","traits":{"email":"ada@example.com"}}\n{"type":"track","event":"Paid"}'],
    [
      'curl lines',
      `curl https://api.segment.io/v1/batch -d '{"batch":[{"type":"identify","traits":{"email":"ada@example.com"}},{"type":"track"}]}'`
    ]
  ])('%s', async (what, text) => {
    await paste(page, text)
    await page.getByText(`A batch of 2 events, read from ${what}`).waitFor()
    // As the page writes it; none of what was pasted has a space there.
    expect(JSON.parse(await typed(page, '"email": "ada@example.com"'))).toMatchObject([
      { traits: { email: 'ada@example.com' } },
      { type: 'track' }
    ])
  })

  it('and is made JSON of as well when it is the same again', async () => {
    for (let times = 0; times < 2; times++) {
      await paste(page, "analytics.track('Paid', {amount: 9})")
      await typed(page, '"event": "Paid"')
    }
  })

  it('and what cannot be read is named', async () => {
    await paste(page, "analytics.track('Paid', {amount: cart.total})")
    await page.getByText('Pasted code cannot be read: only values can be read, not cart.total').waitFor()
  })
})

describe('a mapping', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('that is broken blocks sending, and is seen from every tab', async () => {
    await sample(page, 'identify')
    await page.getByRole('tab', { name: 'Mapping' }).click()
    await page.getByLabel('First Name').fill('{"@nope": 1}')
    await page.getByText('There is no directive @nope. There are @arrayPath').waitFor()
    await page.getByRole('tab', { name: 'Event', exact: true }).click()
    const sendButton = page.getByRole('button', { name: /^Send (event|\d)/ })
    expect(await sendButton.isDisabled()).toBe(true)
    await page.getByText('The mapping is broken.').waitFor()
    await page.getByRole('button', { name: 'Mend it' }).click()
    expect(await page.getByLabel('First Name').inputValue()).toBe('{"@nope": 1}')
    await page.getByRole('button', { name: /^Back to \$\.traits\.firstName/ }).click()
    expect(await sendButton.isEnabled()).toBe(true)
  })

  it('has a trigger that says what it was understood as', async () => {
    await page.getByRole('tab', { name: 'Mapping' }).click()
    const trigger = page.getByLabel('Trigger')
    await trigger.fill('type = "identify" and traits.plan = "pro"')
    await page.getByText('This takes events where type = "identify" and traits.plan = "pro".').waitFor()
    await trigger.fill('type == identify')
    await page.getByText('This is read as type = "=": write it like').waitFor()
    await trigger.fill('nonsense')
    await page.getByText('This is no trigger: write it like').waitFor()
  })
})

describe('what was sent stays', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('across a reload, without the key, and comes back into the editor or is sent again', async () => {
    await paste(page, identify('kept@example.com'))
    await send(page)
    await page.reload()
    await results().getByText('kept@example.com: The contact is created.').waitFor()
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(SANDBOX_KEY)
    await sample(page, 'track')
    await results().getByRole('button', { name: 'Load into editor' }).click()
    expect(JSON.parse(await typed(page, 'kept@example.com'))).toEqual(identify('kept@example.com'))
    await results().getByRole('button', { name: 'Send again' }).click()
    await results().getByText('kept@example.com: The contact is updated.').waitFor()
    expect(await page.locator('.sending').count()).toBe(2)
  })

  it('gives every event an id and a time, as Segment does', async () => {
    await page.route('**/tester/send/*', async (route) => {
      expect(route.request().postDataJSON().payload).toMatchObject({
        messageId: expect.stringMatching(/^tester-/),
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/)
      })
      await route.continue()
    })
    await paste(page, identify('timed@example.com'))
    expect(await send(page)).toEqual([expect.stringContaining('Delivered')])
  })

  it('has a log of requests with time and duration, by status, as JSON or HAR, without the key', async () => {
    await paste(page, identify('first@example.com'))
    await send(page)
    await paste(page, identify('second@example.com'))
    await send(page)
    await results()
      .getByRole('tab', { name: /^Requests \(/ })
      .click()
    expect(await page.locator('.exchange-line').allInnerTexts()).toEqual([
      expect.stringMatching(/200\s+POST\s+\/api\/v1\/contacts\/bulk[\s\S]*\d\d\.\d{3} [AP]M · \d+ ms/),
      expect.stringMatching(/200\s+POST\s+\/api\/v1\/contacts\/bulk/)
    ])
    await results().getByText('2xx 2').waitFor()
    const download = page.waitForEvent('download')
    await results().getByRole('button', { name: 'HAR' }).click()
    const text = readFileSync(await (await download).path(), 'utf8')
    expect(JSON.parse(text).log.entries).toMatchObject([
      { request: { method: 'POST' }, response: { status: 200 } },
      { request: { method: 'POST' } }
    ])
    expect(text).not.toContain(SANDBOX_KEY)
  })

  it('counts while it goes on, and can be stopped', async () => {
    await fetch(`${stack.sandbox}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'delay', delayMs: 400, times: 'always' })
    })
    await paste(
      page,
      Array.from({ length: 50 }, (_, at) => identify(`no${at}@example.com`))
    )
    await page.getByRole('radio', { name: 'one by one' }).check()
    await page.getByRole('button', { name: /^Send 50/ }).click()
    await results()
      .getByText(/^sending … [1-9]\d* of 50$/)
      .waitFor()
    await results().getByRole('button', { name: 'Stop' }).click()
    await results().getByText('Stopped.').first().waitFor()
    await page.getByRole('button', { name: /^Send 50/, disabled: false }).waitFor()
    const { totals } = await (await fetch(`${stack.sandbox}/_sandbox/state`)).json()
    expect(totals.contacts).toBeLessThan(50)
  })
})

describe('a colleague sees the same', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('by a link that holds event and mapping, and no key', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await paste(page, identify('shared@example.com', { city: 'Zürich' }))
    await page.getByRole('tab', { name: 'Mapping' }).click()
    await page.getByLabel('First Name').fill('Dear')
    await page.getByRole('tab', { name: 'Event', exact: true }).click()
    await page.getByRole('button', { name: 'Copy a link' }).click()
    await page.getByText('Copied').waitFor()
    const link = await page.evaluate(() => navigator.clipboard.readText())
    const colleague = await open(stack, {}, link)
    expect(JSON.parse(await typed(colleague, 'shared@example.com'))).toEqual(
      identify('shared@example.com', { city: 'Zürich' })
    )
    await preview(colleague).getByText('"firstName": "Dear"').waitFor()
    expect(colleague.url()).not.toContain('#')
    await colleague.context().close()
  })

  it('by a sample saved under a name, in this browser or in .segment', async () => {
    await paste(page, identify('mine@example.com'))
    await page.getByText('Save as …').click()
    await page.getByLabel('Name', { exact: true }).fill('my-sample')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await sample(page, 'track')
    await page.reload()
    await sample(page, 'my-sample')
    await typed(page, 'mine@example.com')
    await page.getByText('Save as …').click()
    await page.getByLabel('Name', { exact: true }).fill('ours')
    await page.getByRole('button', { name: 'To .segment' }).click()
    await page.getByText('Written to .segment/events/ours.json').waitFor()
    expect(JSON.parse(await readFile(path.join(samples, 'events/ours.json'), 'utf8'))).toEqual(
      identify('mine@example.com')
    )
    await page.getByRole('button', { name: 'To .segment' }).click()
    await page.getByText('is there already: take another name').waitFor()
  })
})

describe('EmailSendX beside it', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('shows first who changed last, and what: old and new', async () => {
    await upsert(Array.from({ length: 120 }, (_, at) => ({ email: `no${at}@example.com`, metadata: { plan: 'free' } })))
    await outside().getByText('The 100 that changed last, of 120.').waitFor()
    // The sandbox's times are in whole seconds.
    await page.waitForFunction((second) => Date.now() / 1000 > second, Math.floor(Date.now() / 1000) + 1)
    await paste(page, identify('no50@example.com', { plan: 'pro', seats: 5 }))
    await send(page)
    const card = outside().locator('.card.changed').first()
    await card.getByText('no50@example.com').waitFor()
    const whatChanged = /no50@example\.com.*plan\s*free → pro.*seats\s*nothing → 5/
    await outside().locator('.card').first().filter({ hasText: whatChanged }).waitFor()
    await page.getByLabel('Search all contacts').fill('no117@')
    await outside().locator('.card').nth(1).waitFor({ state: 'detached' })
    expect(await outside().locator('.card').innerText()).toContain('no117@example.com')
  })

  it('is emptied only when one means it', async () => {
    await upsert([{ email: 'ada@example.com' }])
    await outside().getByText('ada@example.com').waitFor()
    await page.getByRole('button', { name: 'Empty it' }).click()
    await page.getByRole('button', { name: 'Really? All contacts go' }).waitFor()
    expect(await outside().getByText('ada@example.com').count()).toBe(1)
    await page.getByRole('button', { name: 'Really? All contacts go' }).click()
    await outside().getByText('No contact yet.').waitFor()
  })

  it('shows marks that turn the direction of a text', async () => {
    await paste(page, identify('evil@example.com', { firstName: 'a\u202egnp.exe' }))
    await preview(page).getByText('⟨U+202E⟩').first().waitFor()
    await send(page)
    await outside().getByText('a⟨U+202E⟩gnp.exe').waitFor()
  })
})

describe('the way in', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('is three steps, until something was sent', async () => {
    const steps = page.getByRole('list', { name: 'How this goes' })
    // Their numbers stand left of the text, and inside the pane.
    expect(await steps.evaluate((list) => parseFloat(getComputedStyle(list).paddingLeft))).toBeGreaterThanOrEqual(20)
    await sample(page, 'identify')
    await send(page)
    expect(await steps.count()).toBe(0)
  })

  it('has keys, and says which; and the documentation, from this machine', async () => {
    await paste(page, [identify('a@example.com'), identify('b@example.com')])
    await send(page)
    await page.locator('h1').click()
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('search the contacts').waitFor()
    const href = await dialog.getByRole('link', { name: 'The bridge' }).getAttribute('href')
    expect(await (await fetch(stack.page + href)).text()).toContain('# ')
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await page.locator(':focus').innerText()).toContain('b@example.com')
    await page.keyboard.press('k')
    expect(await page.locator(':focus').innerText()).toContain('a@example.com')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => String(getSelection()).includes('a@example.com'))
    await page.locator('h1').click()
    await page.keyboard.press('/')
    expect(await page.locator(':focus').getAttribute('id')).toBe('contact-search')
  })
})

describe('the layout', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it.each([
    [1280, 800],
    [1440, 900],
    [1920, 1080]
  ])('fills the window and no more, also with the mapping open: %i', async (width, height) => {
    await page.setViewportSize({ width, height })
    await sample(page, 'identify')
    await send(page)
    for (const name of ['Mapping', 'Settings', 'Event']) {
      await page.getByRole('tab', { name, exact: true }).click()
      const size = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.scrollHeight
      ])
      expect([name, ...size]).toEqual([name, width, height])
    }
    expect(await page.locator('.outside .tabs').evaluate((tabs) => tabs.clientHeight)).toBeLessThan(50)
    const button = await page.getByRole('button', { name: /^Send (event|\d)/ }).boundingBox()
    const choice = await page.locator('.choice').first().boundingBox()
    expect(button!.y).toBeLessThan(choice!.y + choice!.height)
  })

  it('shows event, preview and results at once on a tablet', async () => {
    await page.setViewportSize({ width: 768, height: 1024 })
    await sample(page, 'identify')
    await send(page)
    const box = await results().boundingBox()
    expect(box!.y + box!.height).toBeLessThanOrEqual(1024)
    const editor = await page.locator('.editor').boundingBox()
    expect(editor!.height).toBeGreaterThan(600)
  })
})
