import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import isEqual from 'lodash/isEqual'
import Database from 'libsql'
import { contentId } from '../bridge/ingest/fields'
import { PROGRAM } from '../typescript'
import { History } from './history'
import { makePlan } from './plan'
import type { Plan, PlanOptions } from './plan'

/** What a replay was begun with; with anything else it is another one. */
export interface Origin extends PlanOptions {
  /** List that the contacts join. */
  listId?: string
}

/**
 * The folder of a replay: what was read and how far it has got (`history.db`), and the queue (`queue.db`),
 * unless it goes through a bridge's store. It holds what the files hold, so it is readable for its owner only.
 */
export class Folder {
  private readonly history: string
  readonly queue: string
  private lock?: Database.Database

  constructor(readonly path: string) {
    this.history = join(path, 'history.db')
    this.queue = join(path, 'queue.db')
  }

  get isBegun(): boolean {
    return existsSync(this.history)
  }

  /** @throws while another process works here. A lock is gone with its process, however that ends. */
  async take(): Promise<void> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    this.lock = new Database(join(this.path, 'lock.db'))
    try {
      this.lock.exec('BEGIN EXCLUSIVE')
    } catch {
      throw new Error(`another replay is running in ${this.path}; see "${PROGRAM} replay status --dir ${this.path}"`)
    }
  }

  /** Reads everything and works out the plan. Nothing is begun before `begin`. */
  async plan(origin: Origin): Promise<{ history: History; plan: Plan }> {
    const part = `${this.history}.part`
    rmSync(part, { force: true })
    const history = History.create(part)
    const plan = await makePlan(history, origin)
    history.set('origin', JSON.stringify(await signature(origin)))
    history.set('plan', JSON.stringify(plan))
    return { history, plan }
  }

  /** From here on the replay goes on where it was, whatever happens. */
  begin(history: History): History {
    history.complete()
    history.close()
    renameSync(`${this.history}.part`, this.history)
    return History.open(this.history)
  }

  /** The replay that was begun here. @throws where there is none */
  open(): { history: History; plan: Plan } {
    if (!this.isBegun) throw new Error(`there is no replay in ${this.path}: name files to begin one`)
    const history = History.open(this.history)
    return { history, plan: JSON.parse(history.get('plan') ?? '') as Plan }
  }

  /** The same, to go on with it. @throws when what is given now is not what it was begun with; files need not be given */
  async resume(origin: Origin): Promise<{ history: History; plan: Plan }> {
    const { history, plan } = this.open()
    const begun = JSON.parse(history.get('origin') ?? '{}') as Signature
    const now = await signature(origin)
    const isSame = origin.files.length > 0 ? isEqual(begun, now) : begun.store === now.store
    if (isSame) return { history, plan }
    history.close()
    throw new Error(
      `${this.path} holds a replay of other files or options: name another folder with --dir, or delete this one`
    )
  }

  /** Deletes what was read, when it is not to be sent. */
  discard(history: History): void {
    history.close()
    rmSync(`${this.history}.part`, { force: true })
  }

  release(): void {
    this.lock?.close()
  }
}

/** The origin as it is kept and compared. Of a store its hash: there may be a password in it. */
interface Signature extends Omit<Origin, 'files'> {
  files: unknown[]
}

async function signature({ files, columns, fireSince, listId, store }: Origin): Promise<Signature> {
  const contents = files.map(async (file) => {
    if (file === '-') return file
    const { size, mtimeMs } = await stat(file)
    return [resolve(file), size, mtimeMs]
  })
  return JSON.parse(
    JSON.stringify({ files: await Promise.all(contents), columns, fireSince, listId, store: store && contentId(store) })
  ) as Signature
}
