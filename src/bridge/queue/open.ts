import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Engine } from './engine'
import { openPostgres } from './postgres'
import { SpoolUnusable } from './spool'
import type { Spool } from './spool'
import { openSqlite } from './sqlite'
import { StoredSpool } from './stored-spool'
import type { Limits } from './stored-spool'
import { secretFrom, Vault } from './vault'

export interface SpoolOptions extends Partial<Limits> {
  /** Seals the API keys at rest; at least 16 characters. Postgres needs one. A SQLite file makes its own in `<file>.secret`. */
  secret?: string
  /** ms since 1970. */
  now?: () => number
  /** SQLite only: the size the file may reach, in pages of 4 KiB. */
  maxPages?: number
}

/**
 * Opens a store, and makes or updates it where needed.
 * @param target a file path, `:memory:`, or a `postgres://` URL
 * @throws SpoolUnusable with the reason
 */
export async function openSpool(target: string, options: SpoolOptions = {}): Promise<Spool> {
  const isPostgres = /^postgres(ql)?:\/\//.test(target)
  const vault = new Vault(options.secret ?? ownSecret(target, isPostgres))
  const now = options.now ?? Date.now
  const engine = isPostgres ? await openPostgres(target) : await openSqlite(target, { maxPages: options.maxPages })
  try {
    await prepare(engine, vault, now())
  } catch (error) {
    await engine.close()
    throw error
  }
  return new StoredSpool(engine, vault, now, options)
}

function ownSecret(target: string, isPostgres: boolean): string {
  if (isPostgres) {
    throw new SpoolUnusable(
      'A Postgres store needs a secret, the same for every process that shares it. Set BRIDGE_SECRET to 32 random characters.'
    )
  }
  if (target === ':memory:') return randomUUID()
  const file = `${target}.secret`
  if (existsSync(target) && !existsSync(file)) {
    throw new SpoolUnusable(
      `The secret of the store is not where it should be, in ${file}. Put it back, or set BRIDGE_SECRET to it.`
    )
  }
  return secretFrom(file)
}

async function prepare(engine: Engine, vault: Vault, now: number): Promise<void> {
  try {
    const { newer, known } = await engine.run('migrate', now)
    if (newer !== undefined) {
      throw new SpoolUnusable(
        `The store has schema version ${newer}, this version of the bridge knows up to ${known}. Start a newer bridge.`
      )
    }
    const proof = vault.fingerprint('')
    if ((await engine.run('agree', 'secret', proof)) !== proof) {
      throw new SpoolUnusable(
        'The store was made with another secret, so its API keys cannot be read. Set BRIDGE_SECRET (or the .secret file beside the store) to that one.'
      )
    }
  } catch (error) {
    if (error instanceof SpoolUnusable) throw error
    throw new SpoolUnusable((error as Error).message, { cause: error })
  }
}
