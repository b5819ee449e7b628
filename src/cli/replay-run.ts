import { existsSync } from 'node:fs'
import { openQueue } from '../bridge/queue'
import { checkOptions } from '../bridge/options'
import { Folder } from '../replay/folder'
import type { Origin } from '../replay/folder'
import { History } from '../replay/history'
import { hoursFor, makePlan } from '../replay/plan'
import type { Plan } from '../replay/plan'
import { checkFiles } from '../event-files'
import { reportOf } from '../replay/report'
import { run } from '../replay/run'
import { PROGRAM } from '../typescript'
import { openExisting } from './bridge-store'
import { showProgress } from './replay-progress'
import { number, planInWords, reportInWords } from './replay-words'
import { confirm, isInteractive, readKey } from './terminal'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export interface ReplayOptions {
  map?: Record<string, string>
  dryRun?: boolean
  json?: boolean
  fireEventsSince?: number
  list?: string
  budget: number
  dir: string
  store?: string
  apiUrl: string
  yes?: boolean
}

/** Starts a replay, or goes on with one. */
export async function start(files: string[], options: ReplayOptions): Promise<void> {
  const { map: columns = {}, fireEventsSince: fireSince, list: listId, store, budget, json } = options
  await checkFiles(files)
  const origin: Origin = { files, columns, fireSince, listId, store }
  if (options.dryRun) return dryRun(origin, budget, json)

  const { apiUrl } = checkOptions({ apiUrl: options.apiUrl })
  const folder = new Folder(options.dir)
  await folder.take()
  try {
    const begun = folder.isBegun || files.length === 0
    const { history, plan } = begun ? await folder.resume(origin) : await prepare(folder, origin, options)
    await send(folder, history, plan, { ...options, apiUrl })
  } finally {
    folder.release()
  }
}

async function dryRun(origin: Origin, budget: number, json?: boolean): Promise<void> {
  const history = History.createTemporary()
  try {
    print(await makePlan(history, origin), budget, json)
  } finally {
    history.close()
  }
}

/** Reads everything, shows the plan, and asks before events are fired. */
async function prepare(
  folder: Folder,
  origin: Origin,
  { budget, json, yes }: ReplayOptions
): Promise<{ history: History; plan: Plan }> {
  const { history, plan } = await folder.plan(origin)
  if (!json) print(plan, budget)
  const { count, names } = plan.firing
  const question = `Fire ${number(count)} events, which start the automations of ${number(names.length)} names?`
  if (count > 0 && !yes && isInteractive(origin.files) && !(await confirm(question))) {
    folder.discard(history)
    throw new Error('nothing was sent')
  }
  return { history: folder.begin(history), plan }
}

async function send(folder: Folder, history: History, plan: Plan, options: ReplayOptions): Promise<void> {
  const { budget, store, json } = options
  const { listId } = JSON.parse(history.get('origin') ?? '{}') as Pick<Origin, 'listId'>
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  for (const signal of SIGNALS) process.once(signal, stop)
  const apiUrl = store === undefined ? options.apiUrl : undefined
  const queue = await (store === undefined ? openQueue(folder.queue) : openExisting(store, process.env.BRIDGE_SECRET))
  const report = () => reportOf(history, plan, store === undefined ? queue : undefined)
  try {
    if (history.get('finished') === undefined) {
      const apiKey = await replayKey()
      const warn = (words: string) => process.stderr.write(`${words}\n`)
      const end = showProgress(report)
      try {
        await run({
          history,
          queue,
          apiKey,
          apiUrl,
          budget,
          listId,
          learnsIds: plan.calls.pages > 0,
          warn,
          signal: stopping.signal
        })
      } finally {
        end()
      }
    }
    const result = await report()
    console.log(json ? JSON.stringify(result) : reportInWords(result))
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    console.error(`stopped. To go on: ${PROGRAM} replay --dir ${folder.path}`)
    process.exitCode = 130
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
    await queue.close()
    history.close()
  }
}

/** Says how far a replay has got. */
export async function status({ dir, json }: { dir: string; json?: boolean }): Promise<void> {
  const folder = new Folder(dir)
  const { history, plan } = folder.open()
  const queue = existsSync(folder.queue) ? await openQueue(folder.queue) : undefined
  try {
    const report = await reportOf(history, plan, queue)
    console.log(json ? JSON.stringify(report) : reportInWords(report))
  } finally {
    await queue?.close()
    history.close()
  }
}

function print(plan: Plan, budget: number, json?: boolean): void {
  const hours = hoursFor(plan.calls.total, budget)
  console.log(json ? JSON.stringify({ ...plan, budget, hours }, null, 2) : planInWords(plan, budget))
}

async function replayKey(): Promise<string> {
  const key = await readKey()
  if (!/^esx_[\w-]{4,200}$/.test(key)) {
    throw new Error('this is no EmailSendX API key: they begin with esx_live_ or esx_test_')
  }
  return key
}
