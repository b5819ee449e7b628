import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import axe, { type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { startBridge } from '../../src/bridge'
import {
  closeBrowser,
  event,
  open,
  openBrowser,
  paste,
  preview,
  results,
  sample,
  send,
  takeComplaints,
  typed
} from './__helpers__/page'
import { startStack } from './__helpers__/stack'
import type { Stack } from './__helpers__/stack'

jest.setTimeout(60_000)

let stack: Stack

beforeAll(async () => {
  ;[stack] = await Promise.all([startStack({ bridge: startBridge }), openBrowser()])
})
afterAll(async () => {
  await closeBrowser()
  await stack.close()
})
beforeEach(() => fetch(`${stack.sandbox}/_sandbox/reset`, { method: 'POST' }))
afterEach(() => expect(takeComplaints()).toEqual([]))

const PHONE = { viewport: { width: 360, height: 740 } }
/** By the column of the page that they change. */
const TABS = {
  '.inputs': ['Settings', 'Mapping'],
  '.outside': [/^Lists/, /^Events \d/, /^Automations/, /^Requests \d/, /^Contacts/]
}

/** What axe can judge differently in the dark: the page changes nothing but colours there. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block']

/**
 * Does something on every face of the page: results of all kinds, every tab, everything that unfolds.
 * @param look is told what has been done, and the part of the page that it has changed
 */
async function everywhere(page: Page, look: (where: string, part: string) => Promise<void>): Promise<void> {
  await paste(page, [
    JSON.parse(event('identify')),
    JSON.parse(event('track-with-address')),
    { type: 'identify' },
    { type: 'page' }
  ])
  await send(page)
  await page.getByRole('tab', { name: /^Requests \(/ }).click()
  await page.locator('.exchange summary').first().click()
  await look('with results', 'html')
  await paste(page, '{"type": }')
  await page.locator('.cm-lintRange-error').waitFor()
  await look('with a mistake', 'main')
  for (const [column, names] of Object.entries(TABS)) {
    for (const name of names) {
      await page.getByRole('tab', { name }).click()
      await look(`tab ${name}`, column)
    }
  }
  await page.getByRole('tab', { name: 'Event', exact: true }).click()
  await page.getByText('Save as …').click()
  await look('save as', '.inputs')
  await page.getByRole('button', { name: 'Help' }).click()
  await page.getByRole('dialog').waitFor()
  await look('help', 'dialog')
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Choose a list' }).click()
  await page.getByRole('button', { name: /Paying Customers/ }).waitFor()
  await look('list picker', '.inputs')
}

describe('everyone can use it', () => {
  it('axe finds nothing serious, in light and in dark', async () => {
    const page = await open(stack, { colorScheme: 'light' })
    await page.evaluate(axe.source)
    const serious = (part: string, options: RunOptions) =>
      page.evaluate(
        async ([part, options]) => {
          const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(part, options)
          return violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => `${id} at ${nodes.map(({ html }) => html).join(' ')}`)
        },
        [part, options] as const
      )
    await everywhere(page, async (where, part) => {
      expect([where, await serious(part, { resultTypes: ['violations'] })]).toEqual([where, []])
      await page.emulateMedia({ colorScheme: 'dark' })
      expect([where, 'dark', await serious(part, { runOnly: OF_COLOURS })]).toEqual([where, 'dark', []])
      await page.emulateMedia({ colorScheme: 'light' })
    })
    await page.context().close()
  })

  it('fits 360 px, with nothing to the side', async () => {
    const page = await open(stack, PHONE)
    await everywhere(page, async (where) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      expect([where, width]).toEqual([where, 360])
    })
    await page.context().close()
  })

  it('works by keyboard alone', async () => {
    const page = await open(stack)
    await tabTo(page, 'combobox "Sample"')
    await page.keyboard.press('ArrowDown')
    await preview(page).getByText('Track Event takes it').waitFor()
    await page.keyboard.press('ArrowUp')
    await preview(page).getByText('Identify Contact takes it').waitFor()
    await tabTo(page, 'textbox "Event as JSON"')
    await page.keyboard.press('Control+End')
    await page.keyboard.type(' ')
    await page.keyboard.press('Control+Enter')
    await results(page, 1)
    await tabTo(page, 'radio "Nothing"')
    await page.keyboard.press('ArrowRight')
    await tabTo(page, 'button "Back to normal"')
    await tabTo(page, 'button "Send event Ctrl ⏎"', 'Shift+Tab')
    await page.keyboard.press('Enter')
    expect(await results(page, 2)).toEqual([expect.stringContaining('Segment would send it again')])
    await tabTo(page, 'tab "Event"', 'Shift+Tab')
    await page.keyboard.press('ArrowRight')
    await tabTo(page, 'textbox "API Key')
    await tabTo(page, 'tab "Settings"', 'Shift+Tab')
    await page.keyboard.press('End')
    await tabTo(page, 'radio "Identify Contact"')
    await page.keyboard.press('ArrowRight')
    await tabTo(page, 'textbox "Trigger"')
    expect(await page.locator(':focus').inputValue()).toMatch(/^type = "track"/)
    await page.context().close()
  })
})

/** Presses Tab until what has the focus is this, as a screen reader names it. */
async function tabTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  const passed = []
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press(key)
    const focus = page.locator(':focus')
    const own = (await focus.count()) > 0 ? await focus.ariaSnapshot() : 'the document'
    if (own.startsWith(`- ${name}`)) return
    passed.push(own.split('\n')[0])
  }
  throw new Error(`${name} is not reached with ${key}, only\n${passed.join('\n')}`)
}

describe('nothing jumps', () => {
  it.each([
    ['wide', { width: 1440, height: 900 }],
    ['narrow', { width: 360, height: 740 }]
  ])('when results arrive, %s', async (_, viewport) => {
    // Layout shifts soon after a click do not count: the answer has to come later.
    const slow = { kind: 'delay', delayMs: 700, times: 'always' }
    await fetch(`${stack.sandbox}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(slow)
    })
    const page = await open(stack, { viewport })
    await page.getByText('A fault set elsewhere is in force.').waitFor()
    await sample(page, 'identify')
    await preview(page).getByText('/api/v1/contacts/bulk').waitFor()
    await page.evaluate(() => {
      const shifts: string[] = []
      Object.assign(globalThis, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & {
          hadRecentInput: boolean
          sources: { node?: Node }[]
        })[])
          if (!entry.hadRecentInput) shifts.push(...entry.sources.map(({ node }) => node?.textContent ?? 'something'))
      }).observe({ type: 'layout-shift' })
    })
    await send(page)
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
    expect(await page.evaluate(() => (globalThis as unknown as { shifts: string[] }).shifts)).toEqual([])
    await page.context().close()
  })
})

describe('nothing in an event is more than text', () => {
  it('shows markup and scripts in every place, and runs none', async () => {
    const page = await open(stack)
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    await paste(page, [
      {
        type: 'identify',
        userId: evil,
        traits: { email: 'evil@example.com', firstName: evil, [evil]: evil, nested: { [evil]: evil } }
      },
      { type: 'track', event: evil, userId: 'evil@example.com', properties: { [evil]: evil } },
      { type: evil }
    ])
    await preview(page).getByText('"metadata"').waitFor()
    await send(page)
    await page.getByRole('tab', { name: /^Requests \(/ }).click()
    for (const summary of await page.locator('.exchange summary').all()) await summary.click()
    const contact = page.locator('.outside .card', { hasText: 'evil@example.com' })
    await contact.locator('.fired').waitFor()
    expect(await contact.innerText()).toContain('<script>window.hacked=1</script>')
    for (const name of Object.values(TABS).flat()) await page.getByRole('tab', { name }).click()
    expect(await page.locator('body').innerText()).toContain(evil)
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false)
    expect(await page.locator('main :is(img, script, iframe)').count()).toBe(0)
    await page.context().close()
  })
})

describe('the server comes and goes', () => {
  let root: string
  let directory: string
  let own: Stack

  beforeAll(async () => {
    const repository = path.resolve(__dirname, '../..')
    root = await fs.mkdtemp(path.join(os.tmpdir(), 'tester-'))
    directory = path.join(root, 'definitions')
    await fs.cp(path.join(repository, 'definitions'), directory, {
      recursive: true,
      filter: (file) => !file.includes('__tests__')
    })
    await fs.symlink(path.join(repository, 'node_modules'), path.join(root, 'node_modules'))
    own = await startStack({ directory })
  })
  afterAll(async () => {
    await own.close()
    await fs.rm(root, { recursive: true })
  })

  it('shows a changed definition without a reload, and keeps what was typed', async () => {
    const page = await open(own)
    await paste(page, { type: 'identify', traits: { email: 'typed@example.com' } })
    await page.getByRole('tab', { name: 'Mapping' }).click()
    await page.getByLabel('Last Name').fill('half a wor')
    const file = path.join(directory, 'emailsendx/identifyContact/index.ts')
    await fs.writeFile(file, (await fs.readFile(file, 'utf8')).replace("label: 'First Name'", "label: 'Given Name'"))
    await page.getByLabel('Given Name').waitFor()
    expect(await page.getByLabel('Last Name').inputValue()).toBe('half a wor')
    await page.getByRole('tab', { name: 'Event', exact: true }).click()
    await typed(page, 'typed@example.com')
    await page.context().close()
  })

  it('says that it is gone, and finds it again with everything in place', async () => {
    const page = await open(own)
    await paste(page, { type: 'identify', traits: { email: 'patient@example.com' } })
    const port = Number(new URL(own.page).port)
    const sandboxPort = Number(new URL(own.sandbox).port)
    await own.close()
    await page.getByText('The local server does not answer. What you typed is kept').waitFor()
    await page.getByLabel('Event as JSON').focus()
    await page.keyboard.press('Control+End')
    await page.keyboard.type(' ')
    own = await startStack({ directory, port, sandboxPort })
    await page.getByText('The local server does not answer.').first().waitFor({ state: 'hidden' })
    await typed(page, 'patient@example.com')
    expect(await send(page)).toEqual([expect.stringContaining('Delivered')])
    await page.locator('.outside').getByText('patient@example.com').waitFor()
    await page.context().close()
  })
})
