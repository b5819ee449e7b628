import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { devDependencies } from '../../package.json'

const run = promisify(execFile)

/** npm has a Chromium for Linux on x64. Elsewhere an installed Chrome is used; CHROMIUM_PATH names another one. */
const IS_FROM_NPM = process.env.CHROMIUM_PATH === undefined && process.platform === 'linux' && process.arch === 'x64'

/** Below node_modules: each checkout has its own, and `npm ci` clears it away. */
const HOME = path.join(__dirname, '../../node_modules/.cache', `chromium-${devDependencies['@sparticuz/chromium']}`)

interface Executable {
  /** Absent: the Chrome that is installed. */
  path?: string
  env: Record<string, string>
}

/** The browser that tests drive. */
export const chromium = (): Executable =>
  IS_FROM_NPM ? unpackedIn(HOME) : { path: process.env.CHROMIUM_PATH, env: {} }

/** Makes Chromium ready once, before any test runs. */
export default async function setUpChromium(): Promise<void> {
  if (IS_FROM_NPM) await unpackChromium(HOME)
}

/**
 * Makes `home` a folder with a Chromium that runs, its libraries and its font; what is there already is used if it does.
 * @throws Error with what the unpacked Chromium says when it does not start on this machine
 */
export async function unpackChromium(home: string): Promise<void> {
  if (!(await starts(home).catch(() => false))) await replace(home)
  // Each time, as it names the folder, which may have been moved.
  await writeFile(path.join(home, 'fonts.conf'), fontsIn(home))
}

/** It gets its final name only when it is known to start: whoever looks at the same time sees all of it or nothing. */
async function replace(home: string): Promise<void> {
  console.log('Unpacking Chromium for the tests')
  await mkdir(path.dirname(home), { recursive: true })
  const fresh = await mkdtemp(`${home}-`)
  try {
    await unpackInto(fresh)
    await starts(fresh)
    await rm(home, { recursive: true, force: true })
    await rename(fresh, home)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

const unpackedIn = (home: string): Executable & { path: string } => ({
  path: path.join(home, 'chromium'),
  env: {
    FONTCONFIG_FILE: path.join(home, 'fonts.conf'),
    LD_LIBRARY_PATH: path.join(home, 'al2023/lib')
  }
})

async function starts(home: string): Promise<boolean> {
  const { path: file, env } = unpackedIn(home)
  const { stdout } = await run(file, ['--version'], { env: { ...process.env, ...env } })
  return stdout.startsWith('Chromium')
}

/**
 * The package unpacks to the temporary folder of its process, so it gets a process of its own. It unpacks its shared libraries
 * only where it believes to be in AWS Lambda.
 */
async function unpackInto(folder: string): Promise<void> {
  await run(process.execPath, ['-e', `require('@sparticuz/chromium').executablePath()`], {
    cwd: __dirname,
    env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }
  })
}

/** The same letters on every machine. */
const fontsIn = (home: string): string => `<?xml version="1.0"?>
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
