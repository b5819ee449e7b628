import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'libsql'
import { Store } from './store'

/** Marks a SQLite file as ours ("ESXs"), so that another program's database is never written to. */
const APPLICATION_ID = 0x45535873
const BUSY_TIMEOUT_MS = 5000

/**
 * What each version of the tables changed. Text that callers choose (names, labels, data) is stored as JSON text: libsql
 * cuts a string at its first NUL when reading it back, and JSON escapes that character.
 */
const MIGRATIONS = [
  `
CREATE TABLE keys (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  scopes TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE contacts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
  search TEXT NOT NULL, details TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX contacts_inactive ON contacts (id) WHERE status <> 'active';
CREATE TABLE lists (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE members (seq INTEGER PRIMARY KEY, list_id TEXT NOT NULL REFERENCES lists (id),
  contact_id TEXT NOT NULL REFERENCES contacts (id), added_at TEXT NOT NULL, UNIQUE (list_id, contact_id));
CREATE INDEX members_contact ON members (contact_id);
CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, contact_id TEXT NOT NULL REFERENCES contacts (id),
  name TEXT NOT NULL, data TEXT NOT NULL, matching INTEGER NOT NULL, fired_at TEXT NOT NULL);
CREATE INDEX events_contact ON events (contact_id);
CREATE TABLE automations (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, status TEXT NOT NULL,
  trigger_type TEXT NOT NULL, trigger_event TEXT NOT NULL, steps TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL);
CREATE TABLE runs (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, automation_id TEXT NOT NULL REFERENCES automations (id),
  contact_id TEXT NOT NULL REFERENCES contacts (id), event_id TEXT REFERENCES events (id), started_at TEXT NOT NULL);
CREATE INDEX runs_contact ON runs (contact_id);
CREATE INDEX runs_automation ON runs (automation_id, contact_id);
CREATE TABLE custom_fields (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, label TEXT NOT NULL,
  type TEXT NOT NULL, options TEXT NOT NULL);
`,
  `
DELETE FROM runs WHERE event_id IS NULL;
DELETE FROM automations WHERE trigger_type <> 'CUSTOM_EVENT';
ALTER TABLE automations DROP COLUMN trigger_type;
ALTER TABLE automations DROP COLUMN steps;
CREATE TABLE identity_links (kind TEXT NOT NULL, value TEXT NOT NULL, contact_id TEXT NOT NULL REFERENCES contacts (id),
  PRIMARY KEY (kind, value)) WITHOUT ROWID;
`
]
const SCHEMA_VERSION = MIGRATIONS.length

/** Child tables first, so that emptying them in this order never breaks a reference. */
export const TABLE_NAMES = [
  'identity_links',
  'runs',
  'events',
  'members',
  'automations',
  'lists',
  'contacts',
  'custom_fields',
  'keys'
]

/**
 * Opens the sandbox's database and creates its tables when it is new.
 * @param file path of the SQLite file; absent: in memory
 * @throws Error with one line saying what to do, when the file cannot be used
 */
export function openStore(file?: string): Store {
  const folder = file === undefined ? undefined : dirname(resolve(file))
  if (folder !== undefined && !existsSync(folder)) {
    throw new Error(`cannot open ${file}: there is no folder ${folder}; create it or choose another --data file`)
  }
  let db: Database.Database | undefined
  try {
    db = new Database(file ?? ':memory:', { timeout: BUSY_TIMEOUT_MS })
    prepare(db, file)
    return new Store(db)
  } catch (error) {
    db?.close()
    if (error instanceof UnusableFile) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`cannot open ${file}: ${why}; move the file away or choose another --data file`, {
      cause: error
    })
  }
}

class UnusableFile extends Error {}

function prepare(db: Database.Database, file = ':memory:'): void {
  const version = pragma(db, 'user_version')
  const application = pragma(db, 'application_id')
  const empty = new Store(db).count('SELECT count(*) AS n FROM sqlite_master') === 0
  if (!empty && application !== APPLICATION_ID) {
    throw new UnusableFile(`${file} is another program's database and was left alone; choose another --data file`)
  }
  if (version > SCHEMA_VERSION) {
    throw new UnusableFile(
      `${file} was written by a newer version of the sandbox; update this one or choose another --data file`
    )
  }
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('foreign_keys = ON')
  const marks = `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`
  if (version < SCHEMA_VERSION) db.exec(`BEGIN; ${MIGRATIONS.slice(version).join('')} ${marks} COMMIT`)
  const [check] = db.pragma('quick_check(1)') as [{ quick_check: string }]
  if (check.quick_check !== 'ok') {
    throw new UnusableFile(
      `${file} is damaged (${oneLine(check.quick_check)}); move it away or choose another --data file`
    )
  }
}

function pragma(db: Database.Database, name: 'user_version' | 'application_id'): number {
  const [row] = db.pragma(name) as [Record<string, number>]
  return row[name]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
