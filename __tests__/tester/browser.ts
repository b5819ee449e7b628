// @ts-expect-error -- its types know of its ESM entry only; it has a CommonJS one, too
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import type { Browser } from 'playwright-core'

/** The Chromium that comes with npm. It talks to nobody but the pages it is told to open. */
export async function launchBrowser(): Promise<Browser> {
  chromium.setGraphicsMode = false
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-domain-reliability',
      '--disable-sync',
      '--no-first-run',
      '--no-pings'
    ]
  })
}
