import path from 'node:path'
import { shown } from '../../actions-cli/load'

/**
 * Why a definition cannot be served, in one line that begins with the place.
 * @param error its cause is what the definition threw; without a cause its message says it already
 * @param folder named where the cause tells no place
 */
export function describeLoadError(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const [, file, line, syntax] = /^(.+?):(\d+):\d+: ERROR: (.+)$/m.exec(cause.message) ?? []
  if (syntax) return `${shown(file)}:${line}: ${syntax}`
  return `${frameOf(cause) ?? shown(folder)}: ${cause.name}: ${cause.message.split('\n')[0]}`
}

/** File and line of the innermost frame that is not Node's, a package's or this server's; `undefined` when there is none. */
export function frameOf({ stack = '' }: Error): string | undefined {
  const frames = [...stack.matchAll(/^ +at (?:.*\()?(\/.+|[A-Z]:\\.+):(\d+):\d+\)?$/gm)]
  const own = frames.find(([, file]) => !/[\\/]node_modules[\\/]/.test(file) && path.dirname(file) !== __dirname)
  return own && `${shown(own[1])}:${own[2]}`
}
