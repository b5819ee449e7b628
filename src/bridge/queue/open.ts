import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Driver, Store } from './drivers/driver'
import { storeOf } from './drivers/driver'
import { openPostgres } from './drivers/postgres'
import { openSqlite } from './drivers/sqlite'
import { Encryption, secretFrom } from './encryption'
import { QueueUnusable } from './errors'
import { DEFAULT_LIMITS, Queue } from './queue'
import type { Limits } from './queue'

export interface QueueOptions extends Partial<Limits> {
  /** Encrypts the API keys at rest; at least 16 characters. Postgres needs one. A SQLite file makes its own in `<file>.secret`. */
  secret?: string
  /** ms since 1970. */
  now?: () => number
  /** SQLite only: the size the file may reach, in pages of 4 KiB. */
  maxPages?: number
}

/**
 * Opens a store, and makes or updates it where needed.
 * @param target a file path, `:memory:`, or a `postgres://` URL
 * @throws QueueUnusable with the reason
 */
export async function openQueue(target: string, options: QueueOptions = {}): Promise<Queue> {
  const now = options.now ?? Date.now
  const { store, driver, encryption } = await openStore(target, { ...options, now })
  try {
    await assertStays(store)
  } catch (error) {
    await driver.close()
    throw error
  }
  return new Queue(store, driver, encryption, now, limitsOf(options))
}

/** A store also while it is being moved. To be closed by its driver. @throws QueueUnusable */
export async function openStore(
  target: string,
  { secret = ownSecret(target), now = Date.now, maxPages }: QueueOptions
): Promise<{ store: Store; driver: Driver; encryption: Encryption }> {
  if (!isPostgres(target) && target !== ':memory:') checkFolder(target)
  const encryption = new Encryption(secret)
  const driver: Driver = isPostgres(target) ? await openPostgres(target) : await openSqlite(target, maxPages)
  const store = storeOf(driver, now)
  try {
    await prepare(store, encryption)
  } catch (error) {
    await driver.close()
    throw error
  }
  return { store, driver, encryption }
}

export function isPostgres(target: string): boolean {
  return /^postgres(ql)?:\/\//.test(target)
}

async function assertStays(store: Store): Promise<void> {
  const { mark, cursor } = await store.moveState()
  if (mark?.isDone) throw new QueueUnusable(`The store was moved to ${mark.to}. Start the bridge on that.`)
  const move = mark ? `moved to ${mark.to}` : cursor && `filled from ${cursor.from}`
  if (move)
    throw new QueueUnusable(`The store is being ${move}. Let "bridge move" end, or start it again if it does not run.`)
}

/** What is not given, or given as undefined, has its default. */
function limitsOf(options: Partial<Limits>): Limits {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]
  return Object.fromEntries(names.map((name) => [name, options[name] ?? DEFAULT_LIMITS[name]])) as unknown as Limits
}

function checkFolder(target: string): void {
  if (!existsSync(path.dirname(path.resolve(target)))) {
    throw new QueueUnusable(`The folder of the store ${target} does not exist. Create it, or name another place.`)
  }
}

/** The secret of a store that none is given for. @throws QueueUnusable */
export function ownSecret(target: string): string {
  if (isPostgres(target)) {
    throw new QueueUnusable(
      'A Postgres store needs a secret, the same for every process that shares it. Set BRIDGE_SECRET to 32 random characters.'
    )
  }
  if (target === ':memory:') return randomUUID()
  checkFolder(target)
  const file = `${target}.secret`
  if (existsSync(target) && !existsSync(file)) {
    throw new QueueUnusable(
      `The secret of the store is not where it should be, in ${file}. Put it back, or set BRIDGE_SECRET to it.`
    )
  }
  return secretFrom(file)
}

async function prepare(store: Store, encryption: Encryption): Promise<void> {
  try {
    const { newer, known } = await store.migrate()
    if (newer !== undefined) {
      throw new QueueUnusable(
        `The store has schema version ${newer}, this version of the bridge knows up to ${known}. Start a newer bridge.`
      )
    }
    const proof = encryption.fingerprint('')
    if ((await store.setIfAbsent('secret', proof)) !== proof) {
      throw new QueueUnusable(
        'The store was made with another secret, so its API keys cannot be read. Set BRIDGE_SECRET (or the .secret file beside the store) to that one.'
      )
    }
  } catch (error) {
    if (error instanceof QueueUnusable) throw error
    throw new QueueUnusable((error as Error).message, { cause: error })
  }
}
