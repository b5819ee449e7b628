import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'libsql'

/*
 * What was read, in a SQLite file of its own: the memory would not hold the history of a large company, and a replay that
 * was killed goes on from here.
 *
 * `identifies` and `tracks` are what the files say, one row an event. `people` and `firing` are what is to be sent, in that
 * order; `problems` is what can't be. Times are ms since 1970; a place is `file:line`.
 *
 * Each column of a row is some work for the driver. Identifies are the most rows, so that most of theirs is one text.
 */
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE identifies (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, email TEXT, said TEXT NOT NULL, found TEXT,
    user TEXT AS (said ->> 'user'), anonymous TEXT AS (said ->> 'anonymous'));
  CREATE TABLE tracks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user TEXT, anonymous TEXT, email TEXT,
    place TEXT NOT NULL, message_id TEXT NOT NULL, event TEXT NOT NULL, found TEXT);
  CREATE TABLE people (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user TEXT, anonymous TEXT, place TEXT NOT NULL,
    contact TEXT NOT NULL, bytes INTEGER NOT NULL);
  CREATE TABLE firing (id INTEGER PRIMARY KEY, email TEXT NOT NULL, at INTEGER NOT NULL, place TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE, event TEXT NOT NULL);
  CREATE TABLE problems (id INTEGER PRIMARY KEY, place TEXT NOT NULL, reason TEXT NOT NULL, item TEXT NOT NULL);
`

export type Value = string | number | null

/** What is inserted into each table, in this order. */
const COLUMNS = {
  identifies: ['at', 'email', 'said'],
  tracks: ['at', 'user', 'anonymous', 'email', 'place', 'message_id', 'event'],
  people: ['at', 'user', 'anonymous', 'place', 'contact', 'bytes'],
  problems: ['place', 'reason', 'item']
}
type Table = keyof typeof COLUMNS

/** Rows inserted by one statement: that takes two thirds of the time of one after the other. */
const ROWS_AT_ONCE = 25

export class History {
  private readonly database: Database.Database
  private readonly statements = new Map<string, Database.Statement>()
  private readonly waiting: Record<Table, Value[]> = { identifies: [], tracks: [], people: [], problems: [] }
  private onClose: () => void = () => undefined

  private constructor(file: string) {
    // For its owner only. SQLite would leave it to the umask.
    closeSync(openSync(file, 'a', 0o600))
    this.database = new Database(file)
    // Without this, sorting is done in memory.
    this.database.exec('PRAGMA page_size = 16384; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384')
  }

  /** A new one. Until it is complete it is worth nothing, so nothing is done for its safety. */
  static create(file: string): History {
    const history = new History(file)
    history.database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
    history.database.exec(SCHEMA)
    return history
  }

  /** A new one that is gone when it is closed, or with the process. */
  static createTemporary(): History {
    const folder = mkdtempSync(path.join(tmpdir(), 'emailsendx-replay-'))
    const history = History.create(path.join(folder, 'history.db'))
    // Where open files can be deleted, that is done now: then not even a kill leaves anything behind.
    const remove = () => rmSync(folder, { recursive: true })
    if (process.platform === 'win32') history.onClose = remove
    else remove()
    return history
  }

  /** One that is complete. */
  static open(file: string): History {
    const history = new History(file)
    history.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
    return history
  }

  /** Adds a row, with a value for each of `COLUMNS`, which can be read after the next `flush`. */
  insert(table: Table, ...row: Value[]): void {
    const values = this.waiting[table]
    values.push(...row)
    if (values.length === ROWS_AT_ONCE * row.length) this.insertAll(table)
  }

  flush(): void {
    for (const table of Object.keys(COLUMNS) as Table[]) this.insertAll(table)
  }

  private insertAll(table: Table): void {
    const values = this.waiting[table].splice(0)
    if (values.length === 0) return
    const columns = COLUMNS[table]
    const row = `(${columns.map(() => '?').join()})`
    const rows = Array<string>(values.length / columns.length).fill(row)
    this.run(`INSERT INTO ${table} (${columns.join()}) VALUES ${rows.join()}`, ...values)
  }

  run(sql: string, ...params: Value[]): number {
    return this.prepare(sql).run(params).changes
  }

  /** The rows of a query, one after the other. `Row` names what the SQL names. */
  rows<Row>(sql: string, ...params: Value[]): IterableIterator<Row> {
    return this.database.prepare(sql).iterate(params) as IterableIterator<Row>
  }

  row<Row>(sql: string, ...params: Value[]): Row | undefined {
    return this.prepare(sql).get(params) as Row | undefined
  }

  /** How many: `what` stands for `*`, `from` is the rest of the query. */
  count(from: string, what = '*'): number {
    return this.row<{ count: number }>(`SELECT COUNT(${what}) AS count FROM ${from}`)?.count ?? 0
  }

  get(name: string): string | undefined {
    return this.row<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value
  }

  set(name: string, value: string): void {
    this.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value', name, value)
  }

  addProblem(place: string, reason: string, item: unknown): void {
    this.insert('problems', place, reason, JSON.stringify(item ?? null))
  }

  /** Everything is in it. */
  complete(): void {
    this.flush()
    this.database.exec('DROP TABLE identifies; DROP TABLE tracks; COMMIT')
  }

  close(): void {
    this.database.close()
    this.onClose()
  }

  private prepare(sql: string): Database.Statement {
    const statement = this.statements.get(sql) ?? this.database.prepare(sql)
    this.statements.set(sql, statement)
    return statement
  }
}
