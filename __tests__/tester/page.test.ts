import path from 'node:path'
import type { Page } from 'playwright-core'
import { startBridge } from '../../src/bridge'
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

let stack: Stack
let page: Page

beforeAll(async () => {
  ;[stack] = await Promise.all([startStack({ bridge: startBridge }), openBrowser()])
})
afterAll(async () => {
  await closeBrowser()
  await stack.close()
})

/** Before each test, or once for tests that each begin with an event of their own. */
const openPage = async () => void (page = await open(stack))
const closePage = () => page.context().close()

beforeEach(() => fetch(`${stack.sandbox}/_sandbox/reset`, { method: 'POST' }))
afterEach(() => expect(takeComplaints()).toEqual([]))

const tab = (name: string | RegExp) => page.getByRole('tab', { name })
const emailsendx = () => page.getByRole('region', { name: 'What EmailSendX has' })
const sandbox = (path: string, body: object) =>
  fetch(`${stack.sandbox}/_sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
const sandboxState = async () => (await fetch(`${stack.sandbox}/_sandbox/state`)).json()

async function goWrong(page: Page, what: string): Promise<void> {
  await page.getByRole('radio', { name: what }).check()
}

describe('the example of the README', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('turns an identify into a contact, and a track into a started automation', async () => {
    await sample(page, 'identify')
    expect(await send(page)).toEqual([expect.stringContaining('Delivered')])
    const contact = emailsendx().locator('.card', { hasText: 'morgan@acme.com' })
    await contact.getByText('Newsletter Subscribers').waitFor()
    expect(await contact.innerText()).toMatch(/Morgan[\s\S]*Lee[\s\S]*plan\s+pro[\s\S]*company\s+Acme Corp/)

    await sample(page, 'track')
    expect(await send(page)).toEqual([expect.stringContaining('one automation starts')])
    await contact.getByText('started Post-Purchase Flow').waitFor()
    await emailsendx().getByText('4 of 120 requests this minute').waitFor()
  })
})

describe('the event', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it('comes from every sample', async () => {
    const names = await page
      .getByLabel('Sample')
      .locator('option:enabled')
      .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value))
    expect(names).toEqual([
      'identify',
      'track',
      'track-with-address',
      'spellings',
      'order-completed',
      'anonymous',
      'server',
      'rudderstack-identify',
      'rudderstack-track'
    ])
    for (const name of names) {
      await sample(page, name)
      expect(JSON.parse(await typed(page, '"type"'))).toBeTruthy()
    }
  })

  it('is the last sample that was chosen, however fast one follows the other', async () => {
    await page.getByLabel('Sample').evaluate(async (element) => {
      const select = element as HTMLSelectElement
      for (const name of ['track', 'identify', 'track', 'identify', 'spellings', 'server']) {
        select.value = name
        select.dispatchEvent(new Event('change', { bubbles: true }))
        // The page is drawn in between, and what follows its drawing is not done yet.
        await new Promise((resolve) => setTimeout(resolve))
      }
    })
    expect(await typed(page, 'priya@startup.io')).toContain('"type"')
    expect(await page.getByLabel('Sample').inputValue()).toBe('server')
  })

  it('is called one’s own once it is edited', async () => {
    await paste(page, { type: 'track' })
    expect(await page.getByLabel('Sample').inputValue()).toBe('own')
  })

  it('shows a mistake where it is, in words', async () => {
    await paste(page, '{\n  "type": "track",\n  "event" "x"\n}')
    await page.getByText(/^Line 3: Expected ':'/).waitFor()
    await page.locator('.cm-lintRange-error').waitFor()
    expect(await page.locator('.cm-line').nth(2).locator('.cm-lintRange-error').count()).toBe(1)
    expect(await page.getByRole('button', { name: /^Send (event|\d)/ }).isDisabled()).toBe(true)
  })

  it('must be an object, or an array of them', async () => {
    await paste(page, '[{"type":"track"},\n7]')
    await page.getByText('Line 2: Item 2 of the batch is not an object.').waitFor()
    await paste(page, '"track"')
    await page.getByText('Line 1: An event is an object').waitFor()
  })
})

describe('what would be sent', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it('follows the typing, and nothing is sent', async () => {
    await paste(page, {
      type: 'identify',
      traits: { email: 'Ada@Example.com', first_name: 'Ada', address: { city: 'London' } }
    })
    await preview(page).getByText('/api/v1/contacts/bulk').waitFor()
    expect(await preview(page).innerText()).toContain(`sends 1 request to ${stack.sandbox}`)
    const body = preview(page).getByRole('region', { name: /^Body of POST/ })
    expect(JSON.parse(await body.innerText())).toEqual({
      contacts: [{ email: 'ada@example.com', firstName: 'Ada', metadata: { address_city: 'London' } }],
      listId: 'clx_list_newsletter_id'
    })
    expect((await sandboxState()).totals).toMatchObject({ requests: 0, contacts: 0 })
  })

  it('says which preset takes the event, and why the other does not', async () => {
    await sample(page, 'track-with-address')
    await preview(page).getByText('Track Event takes it').waitFor()
    await preview(page)
      .getByText('Identify Contact does not: it wants type = "identify"; here type is "track"')
      .waitFor()
    await paste(page, { type: 'page' })
    await preview(page).getByText('No preset takes this event, so nothing is sent.').waitFor()
  })

  it('shows both ways of an unknown contact', async () => {
    await sample(page, 'track-with-address')
    await preview(page).getByText('/contacts/CONTACT_ID/events').waitFor()
    await page.getByRole('radio', { name: 'is unknown' }).check()
    await preview(page).getByText('has no contact with this email address yet').waitFor()
    expect(await preview(page).innerText()).not.toContain('CONTACT_ID/events')
    await page.getByRole('radio', { name: 'is there' }).check()
  })

  it('shows what is wrong with an event before it is sent', async () => {
    await paste(page, { type: 'identify', userId: 'user_12345', traits: { email: 'nobody' } })
    await preview(page).getByText('Identify Contact would not send it.').waitFor()
    await preview(page).getByText('and sends nothing').waitFor()
    await paste(page, { type: 'track', userId: 'ada@example.com' })
    const mistake = preview(page).locator('.payload', { hasText: 'Event Name' })
    await preview(page)
      .getByText(/missing the required field 'eventName'/)
      .waitFor()
    expect(await mistake.count()).toBeLessThanOrEqual(1)
  })

  it('looks at each event of a batch, and says what the batch comes to', async () => {
    await sample(page, 'spellings')
    await preview(page).getByText('Track Event: 3 events, 3 calls, one for each').waitFor()
    await page.getByLabel('Which event').selectOption('1')
    await preview(page).getByText('ord_2').first().waitFor()
    await paste(page, [
      ...Array.from({ length: 120 }, (_, at) => ({ type: 'identify', traits: { email: `no${at}@example.com` } })),
      { type: 'identify', userId: 'nobody' }
    ])
    await preview(page)
      .getByText(/Identify Contact: 121 events, together in 1 request; 1 would be refused/)
      .waitFor()
    await preview(page).getByRole('button', { name: '121' }).click()
    await preview(page).getByText('Identify Contact would not send it.').waitFor()
    await page.getByLabel('Which event').selectOption('119')
    await preview(page).locator('.payload').getByText('no119@example.com').first().waitFor()
  })

  it('says which traits a template in EmailSendX could use', async () => {
    await sample(page, 'identify')
    await preview(page)
      .getByText(
        'Templates can use plan, company, as custom fields. Not signupSource: a custom field has small letters'
      )
      .waitFor()
  })

  it('drops an answer that comes too late', async () => {
    let letGo = () => undefined as void
    const held = new Promise<void>((resolve) => (letGo = resolve))
    let isFirst = true
    await page.route('**/tester/preview', async (route) => {
      if (isFirst) {
        isFirst = false
        await held
      }
      await route.continue().catch(() => undefined)
    })
    const late = page.waitForRequest('**/tester/preview')
    await paste(page, { type: 'identify', traits: { email: 'late@example.com' } })
    await late
    await paste(page, { type: 'identify', traits: { email: 'newest@example.com' } })
    await preview(page).getByText('newest@example.com').first().waitFor()
    letGo()
    await page.unrouteAll({ behavior: 'wait' })
    expect(await preview(page).innerText()).not.toContain('late@example.com')
  })
})

describe('settings and mappings', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('chooses the default list from those EmailSendX has', async () => {
    await tab('Settings').click()
    await page.getByRole('button', { name: 'Choose a list' }).click()
    await page.getByLabel('Search the lists').fill('paying')
    await page
      .getByRole('list', { name: 'Lists' })
      .getByRole('button', { name: /Newsletter/ })
      .waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /Paying Customers/ }).click()
    await preview(page).getByText('"clx_list_customers_id"').waitFor()
    await page.getByRole('button', { name: 'Reset Default List ID' }).click()
    await preview(page).getByText('"clx_list_newsletter_id"').waitFor()
  })

  it('tests the key and the list, in words a customer can act on', async () => {
    await tab('Settings').click()
    await page.getByRole('button', { name: 'Test authentication' }).click()
    await page.getByText('The key works, and so does the list.').waitFor()
    await page.getByLabel('API Key').fill('esx_live_wrong')
    await page.getByRole('button', { name: 'Test authentication' }).click()
    await page.getByText('EmailSendX refused the API key').waitFor()
    // Nothing is sent here, so that nothing can be sent again.
    await goWrong(page, '500')
    await page.getByRole('button', { name: 'Back to normal' }).waitFor()
    await page.getByRole('button', { name: 'Test authentication' }).click()
    const words = page.locator('.test').getByText('has a problem of its own')
    await words.waitFor()
    expect(await words.innerText()).not.toContain('again')
  })

  it('keeps everything across a reload, the key only for the session', async () => {
    await paste(page, { type: 'identify', traits: { email: 'kept@example.com' } })
    await tab('Settings').click()
    await page.getByLabel('API Key').fill('esx_live_secret_0123456789')
    await page.getByLabel('Default List ID').fill('clx_list_customers_id')
    await tab('Mapping').click()
    await page.getByLabel('First Name').fill('$.traits.vorname ?? $.traits.given')
    await page.reload()
    expect(await page.getByLabel('First Name').inputValue()).toBe('$.traits.vorname ?? $.traits.given')
    await tab('Settings').click()
    expect(await page.getByLabel('API Key').inputValue()).toBe('esx_live_secret_0123456789')
    expect(await page.getByLabel('Default List ID').inputValue()).toBe('clx_list_customers_id')
    await page.getByRole('tab', { name: 'Event', exact: true }).click()
    await typed(page, 'kept@example.com')
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('esx_live')

    const next = await page.context().newPage()
    await next.goto(stack.page)
    await next.getByRole('tab', { name: 'Settings' }).click()
    expect(await next.getByLabel('API Key').inputValue()).toBe(SANDBOX_KEY)
    expect(await next.getByLabel('Default List ID').inputValue()).toBe('clx_list_customers_id')
  })

  it('changes a mapping, shows what becomes of it, and finds back to the default', async () => {
    await sample(page, 'identify')
    await tab('Mapping').click()
    const firstName = page.getByLabel('First Name')
    expect(await firstName.inputValue()).toBe('$.traits.firstName')
    await firstName.fill('$.traits.company')
    await preview(page).getByText('"firstName": "Acme Corp"').waitFor()
    await firstName.fill('Dear')
    await preview(page).getByText('"firstName": "Dear"').waitFor()
    await firstName.fill('{"@template": "{{traits.lastName}}!"}')
    await preview(page).getByText('"firstName": "Lee!"').waitFor()
    await firstName.fill('{oops')
    await page.getByText('This starts like JSON and is not.').waitFor()
    await page.getByRole('button', { name: 'Back to $.traits.firstName' }).click()
    await preview(page).locator('.request').getByText('"firstName": "Morgan"').waitFor()
    expect(await firstName.inputValue()).toBe('$.traits.firstName')
  })

  it('has every field with its label and description, and the switches of both actions', async () => {
    await tab('Mapping').click()
    await page.getByLabel('Nested Traits').selectOption('stringify')
    await page.getByLabel('Batch Data to EmailSendX').uncheck()
    expect(await page.getByLabel('Batch Size').count()).toBe(0)
    await tab('Mapping (2 changed)').waitFor()
    await page.getByRole('radio', { name: 'Track Event' }).check()
    await page.getByText('The name of the event. Automations with this name').waitFor()
    await page.getByLabel('Lay a kept mapping over this one').selectOption('create-unknown-contacts')
    expect(await page.getByLabel('Unknown Contact', { exact: true }).inputValue()).toBe('create')
    await page.getByRole('button', { name: 'Reset all' }).click()
    expect(await page.getByLabel('Unknown Contact', { exact: true }).inputValue()).toBe('wait')
  })

  it('lets the trigger decide which events an action takes', async () => {
    await sample(page, 'track-with-address')
    await tab('Mapping').click()
    await page.getByRole('radio', { name: 'Track Event' }).check()
    await page.getByLabel('Trigger').fill('type = "track" and event = "Signed Up"')
    await preview(page).getByText('it wants event = "Signed Up"; here event is "purchase_completed"').waitFor()
    await page.getByLabel('Trigger').fill('all(')
    await preview(page).getByText('the trigger is not valid').waitFor()
  })
})

describe('what was sent', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it('tells of each event of a batch for itself', async () => {
    await paste(page, [
      { type: 'identify', traits: { email: 'ada@example.com' } },
      { type: 'identify', userId: 'nobody' },
      { type: 'track', event: 'Purchase Completed', userId: 'ada@example.com' },
      { type: 'page' }
    ])
    const [refused, untaken, delivered, fired] = await send(page)
    expect(untaken).toMatch(/Not sent[\s\S]*page[\s\S]*No preset takes it/)
    expect(delivered).toMatch(/Delivered[\s\S]*ada@example.com: The contact is created\./)
    expect(refused).toMatch(/Refused[\s\S]*email/i)
    expect(fired).toMatch(/Delivered[\s\S]*purchase_completed: [\s\S]*one automation starts/)
    await page.locator('.results').getByText('2 delivered, 1 taken by no preset, 1 refused').waitFor()
  })

  it('brings all three spellings to the same automation, in one batch or one by one', async () => {
    await sample(page, 'identify')
    await send(page)
    await sample(page, 'spellings')
    expect(await send(page)).toEqual(Array(3).fill(expect.stringContaining('one automation starts')))
    await page.getByRole('radio', { name: 'one by one' }).check()
    expect(await send(page)).toEqual(Array(3).fill(expect.stringContaining('one automation starts')))
    expect((await sandboxState()).totals.automationRuns).toBe(6)
    await page.getByRole('radio', { name: 'as a batch' }).check()
  })

  it('takes an event of 300 KB', async () => {
    const essays = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`essay${at}`, 'x'.repeat(1_000)]))
    await paste(page, { type: 'identify', traits: { email: 'big@example.com', ...essays } })
    expect(await send(page)).toEqual([expect.stringContaining('Delivered')])
  })

  it('says until when an event waits for its contact', async () => {
    const timestamp = new Date()
    await paste(page, { type: 'track', event: 'x', userId: 'nobody@example.com', timestamp: timestamp.toISOString() })
    const until = new Date(timestamp.getTime() + 3_600_000).toLocaleString('en-US', {
      hour: 'numeric',
      minute: '2-digit'
    })
    expect(await send(page)).toEqual([expect.stringMatching(new RegExp(`until .*${until}`))])
  })
})

describe('a single sending', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('tells of all of a long batch, the one that is refused first, and leads back to it in the editor', async () => {
    const events: object[] = Array.from({ length: 250 }, (_, at) => ({
      type: 'identify',
      traits: { email: `no${at}@example.com`, essay: 'x'.repeat(400) }
    }))
    events[200] = { type: 'identify', userId: 'u200', traits: { email: 'not an address' } }
    await paste(page, events)
    const [first] = await send(page)
    expect(first).toMatch(/Refused[\s\S]*201 · Identify Contact · identify not an address/)
    await page.locator('.results').getByText('249 delivered, 1 refused', { exact: true }).waitFor()
    await page.getByRole('radio', { name: 'refused 1' }).check()
    expect(await page.locator('.outcome').count()).toBe(1)
    await page.locator('.outcome-head').click()
    await page.waitForFunction(() => String(getSelection()).includes('u200'))
    await preview(page).getByText('Identify Contact would not send it.').waitFor()
    await tab(/^Contacts 249/).waitFor()
  })

  it('shows the exchanges without the key, and makes a curl line of them', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await sample(page, 'identify')
    await send(page)
    await page.getByRole('tab', { name: 'Requests (1)' }).click()
    await page.locator('.exchange summary').click()
    const exchange = page.locator('.exchange-body')
    expect(await exchange.innerText()).toMatch(/authorization\s*:?\s*<redacted>/)
    await exchange.getByRole('button', { name: 'Copy as curl' }).click()
    await exchange.getByText('Copied').waitFor()
    await exchange.getByText('takes the key from the variable EMAILSENDX_API_KEY').waitFor()
    const line = await page.evaluate(() => navigator.clipboard.readText())
    expect(line).toContain('-H "Authorization: Bearer $EMAILSENDX_API_KEY"')
    expect(line).toContain(`'${stack.sandbox}/api/v1/contacts/bulk'`)
    expect(await page.locator('body').innerHTML()).not.toContain(SANDBOX_KEY)
  })
})

describe('EmailSendX beside it', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('is live, whoever changes it', async () => {
    await fetch(`${stack.sandbox}/api/v1/contacts/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SANDBOX_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        contacts: [{ email: 'else@where.org', metadata: { plan: 'pro' } }],
        listId: 'clx_list_customers_id'
      })
    })
    await emailsendx().locator('.card', { hasText: 'else@where.org' }).getByText('Paying Customers').waitFor()
    await tab(/^Lists/).click()
    await emailsendx().locator('.card', { hasText: 'Paying Customers' }).getByText('else@where.org').waitFor()
    await tab(/^Requests \d/).click()
    await emailsendx().getByText('POST /contacts/bulk').waitFor()
    await tab(/^Automations/).click()
    await emailsendx().getByText('Post-Purchase Flow').waitFor()
    await page.getByRole('button', { name: 'Empty it' }).click()
    await page.getByRole('button', { name: 'Really? All contacts go' }).click()
    await tab(/^Contacts 0/).click()
    await emailsendx().getByText('No contact yet.').waitFor()
  })

  it('does not pretend when events go elsewhere', async () => {
    await tab('Settings').click()
    await page.getByLabel('API URL').fill('https://mail.example.com')
    await emailsendx().getByText('Events go to https://mail.example.com, and this page cannot look into it.').waitFor()
    expect(await emailsendx().getByText('What goes wrong').count()).toBe(0)
    await page.getByRole('button', { name: 'Use the sandbox' }).click()
    await emailsendx().getByText('What goes wrong').waitFor()
  })
})

describe('going wrong on purpose', () => {
  beforeAll(openPage)
  afterAll(closePage)

  it.each([
    ['429', 'identify', /Segment would send it again[\s\S]*limit of requests a minute is used up/],
    ['500', 'identify', /Segment would send it again[\s\S]*has a problem of its own \(500\)/],
    ['Revoked key', 'identify', /Refused[\s\S]*refused the API key/],
    ['Missing list', 'identify', /Refused[\s\S]*The list "clx_list_deleted_id" does not exist/],
    ['429', 'spellings', /Segment would send it again/]
  ])('%s with %s', async (what, name, words) => {
    await sample(page, name)
    await goWrong(page, what)
    await page.getByRole('button', { name: 'Back to normal' }).waitFor()
    for (const result of await send(page)) expect(result).toMatch(words)
    await page.getByRole('button', { name: 'Back to normal' }).click()
    await emailsendx().getByText('EmailSendX works as it should.').waitFor()
    await sample(page, 'identify')
    expect(await send(page)).toEqual([expect.stringContaining('Delivered')])
  })
})

describe('what goes wrong', () => {
  beforeEach(openPage)
  afterEach(closePage)

  it('stays so across a reload, and shows what a customer sees of it in the settings', async () => {
    await goWrong(page, 'Revoked key')
    await page.getByRole('button', { name: 'Back to normal' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Back to normal' }).waitFor()
    expect(await page.getByRole('radio', { name: 'Revoked key' }).isChecked()).toBe(true)
    await tab('Settings').click()
    await page.getByRole('button', { name: 'Test authentication' }).click()
    await page.getByText('EmailSendX refused the API key').waitFor()
  })
})

describe('the bridge', () => {
  beforeAll(openPage)
  afterAll(closePage)

  const send = (events: object[]) =>
    fetch(`${stack.bridge}/v1/batch`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${SANDBOX_KEY}:`).toString('base64')}`,
        'content-type': 'application/json'
      },
      body: JSON.stringify({ batch: events })
    })
  const panel = () => page.getByRole('region', { name: 'Bridge' })

  it('opens a dead letter, tries it again and says what came of it', async () => {
    const email = 'unwanted@example.com'
    await sandbox('faults', { kind: 'refuse-contact', email, message: 'we do not like you' })
    expect((await send([{ type: 'identify', messageId: 'a1', userId: 'u', traits: { email } }])).status).toBe(200)
    const dead = panel().locator('.card', { hasText: 'a1' })
    await dead.getByText('we do not like you').waitFor()
    await panel()
      .getByText(/^0 waiting · \d+ delivered · 1 dead/)
      .waitFor()
    await panel().getByText('esx_test', { exact: false }).first().waitFor()
    await dead.getByText('Open').click()
    await dead.getByText(/Tried 1 time · userId u · email unwanted@example\.com/).waitFor()
    await dead.getByRole('button', { name: 'Retry' }).click()
    await panel()
      .getByText(/^a1 died again at .*we do not like you/)
      .waitFor()
    await fetch(`${stack.sandbox}/_sandbox/faults`, { method: 'DELETE' })
    await dead.getByRole('button', { name: 'Retry' }).click()
    await panel().getByText('a1 is delivered.').waitFor()
    await emailsendx().getByText(email).waitFor()
  })

  it('corrects the event of a dead letter, and purges one when one means it', async () => {
    expect(
      (
        await send([
          { type: 'identify', messageId: 'b1', userId: 'u1', traits: { email: 'not an address' } },
          { type: 'identify', messageId: 'b2', userId: 'u2', traits: { email: 'nor this' } }
        ])
      ).status
    ).toBe(200)
    const dead = panel().locator('.card', { hasText: 'b1' })
    await dead.getByText('Open').click()
    await dead.getByRole('button', { name: 'Edit' }).click()
    const event = { type: 'identify', userId: 'u1', traits: { email: 'corrected@example.com' } }
    await dead.getByLabel('Event of the dead letter').fill(JSON.stringify(event))
    await dead.getByRole('button', { name: 'Save and retry' }).click()
    await emailsendx().getByText('corrected@example.com').waitFor()
    const other = panel().locator('.card', { hasText: 'b2' })
    await other.getByRole('button', { name: 'Purge' }).click()
    await other.getByRole('button', { name: 'Really purge?' }).click()
    await other.waitFor({ state: 'detached' })
  })

  it('takes the event by its webhook, and shows what waits and why', async () => {
    await sample(page, 'identify')
    await panel().getByRole('button', { name: 'Post the event here' }).click()
    await panel().getByText('1 accepted').waitFor()
    await emailsendx().getByText('morgan@acme.com').waitFor()
    await panel()
      .getByText(/^0 waiting · [1-9]\d* delivered/)
      .waitFor()
    await paste(page, { type: 'track', event: 'Early', userId: 'early@example.com' })
    await panel().getByRole('button', { name: 'Post the event here' }).click()
    await panel()
      .getByText(/^1 waiting/)
      .waitFor()
    await panel().getByText('1 put off: EmailSendX has no such contact yet.').waitFor()
    await panel().getByText('Waiting events').click()
    await panel()
      .getByText(/until .* for: contact/)
      .waitFor()
  })
})

it('says after half a minute of silence that there was no answer, and beside it that no bridge runs', async () => {
  const shortSilence = path.join(__dirname, '__helpers__/short-silence.js')
  const other = await startStack({ env: { NODE_OPTIONS: `--require ${JSON.stringify(shortSilence)}` } })
  const page = await open(other)
  await page.getByText('No bridge runs beside this page: npm start runs one.').waitFor()
  await goWrong(page, 'No answer')
  const [result] = await send(page)
  expect(result).toMatch(/Segment would send it again[\s\S]*did not answer within 30 seconds/)
  await page.getByRole('tab', { name: 'Requests (1)' }).click()
  expect(await page.locator('.results').innerText()).toMatch(/no answer\s+POST\s+\/api\/v1\/contacts\/bulk/)
  await page.context().close()
  await other.close()
})
