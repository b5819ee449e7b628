import { readFileSync } from 'node:fs'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchBrowser } from '../browser'
import type { Stack } from './stack'

/** As long as a busy machine may take for what takes a moment. */
const TIMEOUT_MS = 30_000

let browser: Browser | undefined
/** What pages complained of: errors, and anything the content-security policy refused. */
const complaints: string[] = []

export async function openBrowser(): Promise<void> {
  browser = await launchBrowser()
}

export const closeBrowser = (): Promise<void> | undefined => browser?.close()

/** What no test expects; asked after each. */
export const takeComplaints = (): string[] => complaints.splice(0)

/** A browser of its own, with nothing remembered, on the page or a link to it. */
export async function open(stack: Stack, options: BrowserContextOptions = {}, url = stack.page): Promise<Page> {
  if (!browser) throw new Error('openBrowser first')
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options
  })
  context.setDefaultTimeout(TIMEOUT_MS)
  const page = await context.newPage()
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    const isAboutAnswer = /Failed to load resource|WebSocket connection/.test(message.text())
    if (message.type() === 'error' && !isAboutAnswer) complaints.push(message.text())
  })
  await page.goto(url)
  await page.locator('.cm-content').waitFor()
  return page
}

export const sample = (page: Page, name: string): Promise<unknown> => page.getByLabel('Sample').selectOption(name)

/** Pastes in the place of what is in the editor. As typing (`insertText`) a long text takes the browser many seconds. */
export async function paste(page: Page, event: unknown): Promise<void> {
  const text = typeof event === 'string' ? event : JSON.stringify(event, null, 2)
  await page.getByLabel('Event as JSON').focus()
  await page.keyboard.press('Control+a')
  await page.getByLabel('Event as JSON').evaluate((editor, text) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', text)
    editor.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, text)
}

/** The text in the editor, once this is a part of it. */
export async function typed(page: Page, part: string): Promise<string> {
  const editor = page.locator('.cm-content', { hasText: part })
  await editor.waitFor()
  return editor.innerText()
}

/** The preview, once it shows what is in the editor. */
export const preview = (page: Page) => page.locator('.preview[aria-busy=false] .pane-body')

/** Sends what is in the editor, and resolves with the words of the newest results, one for each event. */
export async function send(page: Page): Promise<string[]> {
  const before = await page.locator('.sending').count()
  await page.getByRole('button', { name: /^Send (event|\d)/ }).click()
  return results(page, before + 1)
}

/** The results of the newest sending, once there are `count` sendings and nothing is under way. */
export async function results(page: Page, count: number): Promise<string[]> {
  await page
    .locator('.sending')
    .nth(count - 1)
    .waitFor()
  await page
    .locator('.results')
    .getByText(/^sending …/)
    .waitFor({ state: 'hidden' })
  return page.locator('.sending').first().locator('.outcome').allInnerTexts()
}

/** The example events, as in `.segment`. */
export const event = (name: string): string =>
  readFileSync(`${__dirname}/../../../.segment/events/${name}.json`, 'utf8')
