import events from 'node:events'
import http from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import once from 'lodash/once'
import { definitionFolders, shown } from '../actions-cli/load'
import { explainListening, originOf } from '../http/listening'
import { startLiveReload, watchFolder } from './process/reload'
import type { LiveReload } from './process/reload'
import { supervise } from './process/supervisor'
import { startWorker } from './process/worker-process'

export interface ServeOptions {
  /** Default: the environment's PORT, else 3000. 0 picks a free one. Pages learn of changes on the port after it. */
  port?: number
  /** The page at `/` and the websocket; default true. */
  ui?: boolean
  /** The folder that holds the folders of destinations; default: this repository's `definitions`. */
  directory?: string
  /** Name of a destination's folder; may be left out where there is one only. */
  destination?: string
  /** Start again when a file in `directory` changes; default true. */
  watch?: boolean
  /** Largest request body in bytes; default 102400. */
  bodyLimit?: number
  /** Added to the environment of the process that runs the destination. */
  env?: Record<string, string>
  /** Takes the lines of output; default: `console.log`. */
  log?: (line: string) => void
}

/** Whoever reaches this server runs code with the settings it is given: it is for this machine alone. */
const HOST = '127.0.0.1'

/**
 * Serves a destination with the HTTP contract of Segment's `actions-cli serve`. This process keeps the port, another one
 * runs the definition: core caches schemas for the life of a process, so a change needs a new one.
 * @throws Error with one line saying what to do: port in use, no such destination, a definition that does not load
 */
export async function startServe(
  options: ServeOptions = {}
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const { ui = true, watch = true, bodyLimit, env, log = console.log } = options
  const directory = path.resolve(options.directory ?? path.join(__dirname, '../../definitions'))
  const folder = await findDestination(directory, options.destination)
  const config = { folder, directoryName: path.basename(folder), ui, bodyLimit }
  const supervisor = supervise((signal) => startWorker({ config, env, log }, signal), log)
  const { front, port, pages } = await takePorts(
    () => http.createServer((request, response) => void supervisor.answer(request, response)),
    options.port ?? portOfEnvironment(),
    ui
  )
  const open: { close(): unknown }[] = [supervisor, { close: () => closeNow(front) }, ...(pages ? [pages] : [])]
  const close = once(async () => void (await Promise.all(open.map((part) => part.close()))))

  try {
    const { routes } = await supervisor.restart()
    if (ui && !pages)
      log(`Port ${port + 1} cannot be had: open pages will not learn of changes. Another PORT moves both.`)
    const restart = async (file: string) => {
      const done = await supervisor.restart().then(
        () => `Restarted: ${shown(file)} has changed`,
        (error: Error) => `Not restarted: ${error.message}`
      )
      log(done)
      pages?.announce()
    }
    if (watch) open.push(await watchFolder(directory, (file) => void restart(file)))
    log([`Listening at http://localhost:${port} ->`, ...routes].join('\n'))
    if (ui) log(`Tester page: http://localhost:${port}`)
    return { url: originOf(HOST, port), port, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Ends every connection, too: whoever still waits for an answer will not get one. */
function closeNow(server: Server): void {
  server.close()
  server.closeAllConnections()
}

async function findDestination(directory: string, name: string | undefined): Promise<string> {
  const folders = await definitionFolders(directory).catch(() => {
    throw new Error(`${shown(directory)}: no such folder (--directory)`)
  })
  const names = folders.map((folder) => path.basename(folder)).join(', ')
  const found = name === undefined ? folders : folders.filter((folder) => path.basename(folder) === name)
  if (found.length === 1) return found[0]
  if (folders.length === 0) throw new Error(`${shown(directory)}: no destination here (--directory)`)
  if (name === undefined) throw new Error(`Say which destination to serve with --destination: ${names}`)
  throw new Error(`No destination ${name} in ${shown(directory)}; there is ${names}`)
}

function portOfEnvironment(): number {
  const { PORT = '' } = process.env
  if (PORT === '') return 3000
  if (/^\d+$/.test(PORT) && Number(PORT) <= 65_535) return Number(PORT)
  throw new Error(`PORT must be a number from 0 to 65535, not ${PORT}`)
}

interface Ports {
  front: Server
  port: number
  /** Absent when it is not wanted, or its port cannot be had. */
  pages?: LiveReload
}

/** How many pairs of neighbouring free ports are tried where any will do. */
const TRIES = 20

/** Takes the wanted port and the one after it; where 0 asks for any, a pair that is free. */
async function takePorts(create: () => Server, wanted: number, ui: boolean): Promise<Ports> {
  for (let tries = 1; ; tries++) {
    const front = create()
    const port = await listen(front, wanted)
    const pages = ui ? await startLiveReload(port + 1, HOST).catch(() => undefined) : undefined
    if (pages || !ui || wanted !== 0 || tries === TRIES) return { front, port, pages }
    front.close()
  }
}

/** @returns the port that was taken, also where 0 asked for any */
async function listen(front: Server, port: number): Promise<number> {
  front.listen(port, HOST)
  await events.once(front, 'listening').catch((error: unknown) => {
    throw explainListening(error, HOST, port, `choose another with PORT, such as PORT=${port + 10}`)
  })
  return (front.address() as AddressInfo).port
}
