import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
// @ts-expect-error -- its types know of its ESM entry only; it has a CommonJS one, too
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { devDependencies } from '../../package.json'

/** For Linux on x64, which the Chromium that comes with npm is made for. Elsewhere an installed Chrome is used. */
const HAS_OWN = process.platform === 'linux' && process.arch === 'x64'

/** A Chromium that talks to nobody but the pages it is told to open. CHROMIUM_PATH names another one. */
export async function launchBrowser(): Promise<Browser> {
  const { CHROMIUM_PATH } = process.env
  const home = CHROMIUM_PATH === undefined && HAS_OWN ? await unpacked() : undefined
  const executablePath = home ? path.join(home, 'chromium') : CHROMIUM_PATH
  return playwright.launch({
    ...(executablePath ? { executablePath } : { channel: 'chrome' }),
    env: { ...process.env, ...(home && { FONTCONFIG_FILE: path.join(home, 'fonts.conf') }) },
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

/**
 * The folder with Chromium and its font, unpacked once for each version. Test processes start at the same time: each
 * unpacks into a folder of its own, and the first one done puts it where the others look.
 */
async function unpacked(): Promise<string> {
  const home = path.join(os.tmpdir(), `chromium-${devDependencies['@sparticuz/chromium']}`)
  if (existsSync(home)) return home
  const own = await mkdtemp(`${home}-`)
  const { TMPDIR } = process.env
  try {
    process.env.TMPDIR = own
    await chromium.executablePath()
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
  await writeFile(path.join(own, 'fonts.conf'), fonts(home))
  await rename(own, home).catch(() => rm(own, { recursive: true }))
  return home
}

/** The same letters on every machine. */
const fonts = (home: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${home}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${home}/fonts-cache</cachedir>
  <alias binding="strong"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`
