import type { Dialect } from './transactions/dialect'

/**
 * What brings a store from each version to the next. Released entries are never edited, only followed by new ones.
 * Times, also the one of the migration, are ms since 1970; `key` columns hold what keys.ts makes.
 */
export function migrations({ serial, text, keyed, deadLettersByPartition }: Dialect, now: number): string[][] {
  return [
    [
      `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,

      `CREATE TABLE lanes (
        id ${serial},
        fingerprint TEXT NOT NULL UNIQUE,
        sealed_key TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT,
        paused_until BIGINT NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        slow INTEGER NOT NULL DEFAULT 0,
        succeeded_at BIGINT,
        parked_at BIGINT,
        parked_status INTEGER,
        parked_reason TEXT,
        tried_at BIGINT NOT NULL DEFAULT 0,
        oldest_at BIGINT,
        worker TEXT,
        token BIGINT NOT NULL DEFAULT 0,
        events BIGINT NOT NULL DEFAULT 0,
        bytes BIGINT NOT NULL DEFAULT 0,
        dead BIGINT NOT NULL DEFAULT 0,
        dead_bytes BIGINT NOT NULL DEFAULT 0
      )`,
      `CREATE INDEX lanes_due ON lanes (due_at) WHERE due_at IS NOT NULL`,

      `CREATE TABLE events (
        id ${serial},
        lane_id BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        type TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        arrived_at BIGINT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        first_failed_at BIGINT,
        firing INTEGER NOT NULL DEFAULT 0,
        held_for TEXT,
        held_until BIGINT,
        body TEXT NOT NULL
      )`,
      `CREATE INDEX events_queued ON events (lane_id, id) WHERE held_for IS NULL`,
      `CREATE INDEX events_held ON events (lane_id, held_until) WHERE held_for IS NOT NULL`,

      `CREATE TABLE held_keys (
        lane_id BIGINT NOT NULL,
        key TEXT NOT NULL,
        event_id BIGINT NOT NULL,
        gate TEXT NOT NULL,
        PRIMARY KEY (lane_id, key, event_id)
      ) ${keyed}`,
      `CREATE INDEX held_keys_event ON held_keys (event_id)`,

      `CREATE TABLE message_ids (
        lane_id BIGINT NOT NULL,
        key ${text} NOT NULL,
        noted_at BIGINT NOT NULL,
        PRIMARY KEY (lane_id, key)
      ) ${keyed}`,
      `CREATE INDEX message_ids_noted ON message_ids (noted_at)`,

      `CREATE TABLE identities (
        lane_id BIGINT NOT NULL,
        key TEXT NOT NULL,
        email TEXT NOT NULL,
        PRIMARY KEY (lane_id, key)
      ) ${keyed}`,

      `CREATE TABLE dead_letters (
        id ${serial},
        lane_id BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        type TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        arrived_at BIGINT NOT NULL,
        attempts INTEGER NOT NULL,
        first_failed_at BIGINT,
        died_at BIGINT NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        body TEXT NOT NULL
      )`,
      `CREATE INDEX dead_letters_lane ON dead_letters (lane_id, id)`,
      `CREATE INDEX dead_letters_died ON dead_letters (died_at)`,

      `CREATE TABLE workers (id TEXT PRIMARY KEY, alive_until BIGINT NOT NULL)`
    ],
    [
      'ALTER TABLE facts RENAME TO meta',
      `UPDATE meta SET name = 'pruned_at' WHERE name = 'retained_at'`,
      `DELETE FROM meta WHERE name = 'touched_at'`,

      'DROP INDEX lanes_due',
      'ALTER TABLE lanes RENAME TO partitions',
      'ALTER TABLE partitions RENAME COLUMN sealed_key TO encrypted_key',
      'ALTER TABLE partitions RENAME COLUMN parked_at TO suspended_at',
      'ALTER TABLE partitions RENAME COLUMN parked_status TO suspended_status',
      'ALTER TABLE partitions RENAME COLUMN parked_reason TO suspended_reason',
      // Keys that EmailSendX has not accepted yet, those whose calls are slow or fail, and all others are worked on apart.
      `ALTER TABLE partitions ADD COLUMN pool TEXT NOT NULL DEFAULT 'unproven'`,
      `UPDATE partitions SET pool = CASE WHEN slow = 1 THEN 'slow' ELSE 'normal' END WHERE succeeded_at IS NOT NULL`,
      'UPDATE partitions SET due_at = 0 WHERE succeeded_at IS NULL AND suspended_at IS NULL',
      'ALTER TABLE partitions DROP COLUMN slow',
      'ALTER TABLE partitions ADD COLUMN paused INTEGER NOT NULL DEFAULT 0',
      'ALTER TABLE partitions ADD COLUMN delivered BIGINT NOT NULL DEFAULT 0',
      'ALTER TABLE partitions ADD COLUMN last_event_id BIGINT NOT NULL DEFAULT 0',
      'ALTER TABLE partitions ADD COLUMN message_ids BIGINT NOT NULL DEFAULT 0',
      'ALTER TABLE partitions ADD COLUMN links BIGINT NOT NULL DEFAULT 0',
      `UPDATE partitions SET last_event_id = COALESCE((SELECT MAX(id) FROM events WHERE lane_id = partitions.id), 0),
        message_ids = (SELECT COUNT(*) FROM message_ids WHERE lane_id = partitions.id),
        links = (SELECT COUNT(*) FROM identities WHERE lane_id = partitions.id)`,
      'CREATE INDEX partitions_due ON partitions (pool, due_at) WHERE due_at IS NOT NULL',
      `CREATE INDEX partitions_unproven ON partitions (id) WHERE pool = 'unproven'`,

      'ALTER TABLE events RENAME TO lane_events',
      `CREATE TABLE events (
        partition_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        type TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        arrived_at BIGINT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        first_failed_at BIGINT,
        firing INTEGER NOT NULL DEFAULT 0,
        deferred_for TEXT,
        deferred_until BIGINT,
        body TEXT NOT NULL,
        PRIMARY KEY (partition_id, id)
      )`,
      `INSERT INTO events SELECT lane_id, id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing,
        held_for, held_until, body FROM lane_events ORDER BY id`,
      'DROP TABLE lane_events',
      'CREATE INDEX events_deferred ON events (partition_id, deferred_until, id)',

      'ALTER TABLE held_keys RENAME TO blocked_keys',
      'ALTER TABLE blocked_keys RENAME COLUMN lane_id TO partition_id',
      'ALTER TABLE blocked_keys RENAME COLUMN gate TO blocks',
      'DROP INDEX held_keys_event',
      'CREATE INDEX blocked_keys_event ON blocked_keys (partition_id, event_id)',

      'ALTER TABLE message_ids RENAME COLUMN lane_id TO partition_id',

      'ALTER TABLE identities RENAME TO identity_links',
      'ALTER TABLE identity_links RENAME COLUMN lane_id TO partition_id',
      'ALTER TABLE identity_links ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0',
      'UPDATE identity_links SET seen_at = COALESCE((SELECT applied_at FROM schema_versions WHERE version = 1), 0)',
      'CREATE INDEX identity_links_email ON identity_links (partition_id, email)',
      'CREATE INDEX identity_links_seen ON identity_links (seen_at)',

      `CREATE TABLE contact_ids (
        partition_id BIGINT NOT NULL,
        key ${text} NOT NULL,
        contact_id TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        PRIMARY KEY (partition_id, key)
      ) ${keyed}`,
      'CREATE INDEX contact_ids_seen ON contact_ids (seen_at)',

      `CREATE TABLE event_names (
        partition_id BIGINT NOT NULL,
        name ${text} NOT NULL,
        calls BIGINT NOT NULL DEFAULT 0,
        matched BIGINT NOT NULL DEFAULT 0,
        skipped BIGINT NOT NULL DEFAULT 0,
        asked_at BIGINT NOT NULL DEFAULT 0,
        matches BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (partition_id, name)
      ) ${keyed}`,

      'ALTER TABLE dead_letters RENAME COLUMN lane_id TO partition_id',
      ...deadLettersByPartition
    ],
    [
      `CREATE TABLE live_traits (
        partition_id BIGINT NOT NULL,
        key ${text} NOT NULL,
        names TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        PRIMARY KEY (partition_id, key)
      ) ${keyed}`,
      'CREATE INDEX live_traits_seen ON live_traits (seen_at)'
    ],
    [
      'DROP INDEX message_ids_noted',
      'ALTER TABLE message_ids DROP COLUMN noted_at',
      'ALTER TABLE message_ids RENAME TO message_ids_1',
      ...['message_ids', 'message_ids_2'].map(
        (table) => `CREATE TABLE ${table} (
          partition_id BIGINT NOT NULL,
          key ${text} NOT NULL,
          PRIMARY KEY (partition_id, key)
        ) ${keyed}`
      ),
      `CREATE TABLE message_id_spans (
        place INTEGER PRIMARY KEY,
        since BIGINT NOT NULL,
        noted_before BIGINT NOT NULL
      )`,
      `INSERT INTO message_id_spans
        SELECT 0, CAST(${now} AS BIGINT), CAST(COALESCE(SUM(message_ids), 0) AS BIGINT) FROM partitions`,
      'INSERT INTO message_id_spans VALUES (1, 0, 0), (2, 0, 0)'
    ]
  ]
}
