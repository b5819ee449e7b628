import { fork } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { shown } from '../../actions-cli/load'
import { execArgv } from '../../typescript'
import { handOn } from './hand-on'
import type { Ready, WorkerConfig, WorkerMessage } from './worker'

/** A process that has loaded the definition and answers. */
export interface Worker {
  /** The lines the original prints on start. */
  routes: string[]
  answer(request: IncomingMessage, response: ServerResponse): void
  /** Ends the process when its last answer is out. */
  retire(): void
  /** Resolves when the process has ended, for whatever reason. */
  ended: Promise<void>
}

export interface WorkerOptions {
  config: WorkerConfig
  /** Added to the environment of the process. */
  env?: Record<string, string>
  log: (line: string) => void
}

const LOAD_MS = 30_000
/** How long a slow answer may take once its worker is retired. */
const LAST_ANSWER_MS = 60_000

/**
 * Starts a worker and waits until it can answer.
 * @param signal ends the process at once, whatever it is doing
 * @throws Error with one line that says which file does not load and why
 */
export async function startWorker({ config, env, log }: WorkerOptions, signal: AbortSignal): Promise<Worker> {
  const child = fork(require.resolve('./worker'), [JSON.stringify(config)], {
    execArgv,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    killSignal: 'SIGKILL',
    signal
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const slow = setTimeout(() => child.kill('SIGKILL'), LOAD_MS)
  const loading = new Promise<Ready>((resolve, reject) => {
    child.on('message', (message: WorkerMessage) => {
      if ('log' in message) log(message.log)
      if ('ready' in message) resolve(message.ready)
      if ('failed' in message) reject(new Error(message.failed))
    })
    child.on('error', reject)
    child.once('exit', (code, killedBy) => {
      const what = killedBy
        ? `not loaded within ${LOAD_MS / 1000} s`
        : `its process ended with code ${code} while loading`
      reject(new Error(`${shown(config.folder)}: ${what}`))
    })
  })
  const { port, routes } = await loading.finally(() => clearTimeout(slow))

  let unanswered = 0
  let retired = false
  const endWhenDone = () => {
    if (retired && unanswered === 0) child.kill('SIGKILL')
  }
  return {
    routes,
    answer(request, response) {
      unanswered++
      response.on('close', () => {
        unanswered--
        endWhenDone()
      })
      handOn(request, response, port)
    },
    retire() {
      retired = true
      setTimeout(() => child.kill('SIGKILL'), LAST_ANSWER_MS).unref()
      endWhenDone()
    },
    ended
  }
}
