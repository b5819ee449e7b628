import { chromium as playwright } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { chromium } from '../__helpers__/chromium'

/** A Chromium that talks to nobody but the pages it is told to open. */
export async function launchBrowser(): Promise<Browser> {
  const { path, env } = chromium()
  return playwright.launch({
    ...(path === undefined ? { channel: 'chrome' } : { executablePath: path }),
    env: { ...process.env, ...env },
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
