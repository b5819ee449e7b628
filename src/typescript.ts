import path from 'node:path'

/*
 * A checkout runs this TypeScript as it stands, by way of build/typescript.js. The package holds JavaScript, and reads TypeScript
 * with tsx, only to serve a definition, and only where somebody has installed it beside.
 */

export const isTypeScript = (file: string): boolean => path.extname(file) === '.ts'

/** Whether this runs in a checkout. */
export const isCheckout = isTypeScript(__filename)

/** How people call the command line here. */
export const PROGRAM = isCheckout ? 'bin/run' : 'emailsendx-segment'

/** What Node needs to be told to start a module of this program in a process or a thread of its own. */
export const execArgv = isCheckout ? ['--require', path.join(__dirname, '../build/typescript.js')] : []

/**
 * Lets `require` read TypeScript from now on, if tsx can be had.
 * @param from a folder whose packages count as well
 */
export function canReadTypeScript(from: string): boolean {
  if (isCheckout || require.extensions['.ts']) return true
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only where there is TypeScript to read
    require(require.resolve('tsx/cjs', { paths: [from, __dirname] }))
    return true
  } catch {
    return false
  }
}
