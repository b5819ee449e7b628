import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startBridge } from '../../src/bridge'
import setUpChromium from '../__helpers__/chromium'
import { launchBrowser } from './browser'
import { startStack } from './__helpers__/stack'

const IMAGES = path.join(__dirname, '../../docs/images')

/** `npm run screenshots`: the page after the two events of EmailSendX's Segment page, as the README shows it. */
async function takeScreenshots(): Promise<void> {
  await setUpChromium()
  const stack = await startStack({ bridge: startBridge })
  const browser = await launchBrowser()
  try {
    await shoot(browser, stack.page, 'tester-light', { colorScheme: 'light', viewport: { width: 1440, height: 900 } })
    await shoot(browser, stack.page, 'tester-dark', { colorScheme: 'dark', viewport: { width: 1440, height: 900 } })
    await shoot(browser, stack.page, 'tester-phone', { colorScheme: 'light', viewport: { width: 360, height: 800 } })
  } finally {
    await browser.close()
    await stack.close()
  }
}

async function shoot(browser: Browser, url: string, name: string, options: Parameters<Browser['newPage']>[0]) {
  const page = await browser.newPage({ ...options, deviceScaleFactor: 1, reducedMotion: 'reduce' })
  page.on('console', (message) => console.log(name, message.text()))
  page.on('pageerror', (error) => console.log(name, error.message))
  await page.goto(url)
  await send(page, 'identify')
  await send(page, 'track')
  await page.screenshot({ path: path.join(IMAGES, `${name}.png`) })
  await page.close()
}

async function send(page: Page, sample: string): Promise<void> {
  await page.getByLabel('Sample').selectOption(sample)
  await page.getByRole('button', { name: /^Send (event|\d)/ }).click()
  await page.locator('.results').getByText('Delivered').first().waitFor()
  await page.locator('.preview[aria-busy=false]').waitFor()
  await page.locator('.outside').getByText('morgan@acme.com').first().waitFor()
  if (sample === 'track') await page.getByText('started Post-Purchase Flow').first().waitFor()
}

takeScreenshots().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
