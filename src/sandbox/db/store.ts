import type Database from 'libsql'

type Value = string | number | null

/** A prepared-statement cache over one SQLite connection. All calls are synchronous, so each is atomic in this process. */
export class Store {
  private readonly statements = new Map<string, Database.Statement>()

  constructor(private readonly db: Database.Database) {}

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.prepared(sql).all(values) as Row[]
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.prepared(sql).get(values) as Row | undefined
  }

  /** @returns how many rows changed */
  run(sql: string, ...values: Value[]): number {
    return this.prepared(sql).run(values).changes
  }

  /** @param row by the names of its columns, which come from this code */
  insert(table: string, row: Record<string, Value>): void {
    const columns = Object.keys(row)
    this.run(
      `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
      ...Object.values(row)
    )
  }

  /** `SELECT count(*) AS n …` */
  count(sql: string, ...values: Value[]): number {
    return this.get<{ n: number }>(sql, ...values)?.n ?? 0
  }

  /** All or nothing: a throw inside rolls everything back. */
  transaction<T>(work: () => T): T {
    return this.db.transaction(work).immediate()
  }

  /** libsql lets go of the file only when its objects are collected, so the write-ahead log is emptied here. */
  close(): void {
    this.db.pragma('wal_checkpoint(TRUNCATE)')
    this.statements.clear()
    this.db.close()
  }

  private prepared(sql: string): Database.Statement {
    let statement = this.statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      this.statements.set(sql, statement)
    }
    return statement
  }
}
