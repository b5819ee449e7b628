-- A store as the bridge made it with version 1 of its schema, for the tests of what brings it up to date.

CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, applied_at BIGINT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lanes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
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
);
CREATE INDEX lanes_due ON lanes (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
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
);
CREATE INDEX events_queued ON events (lane_id, id) WHERE held_for IS NULL;
CREATE INDEX events_held ON events (lane_id, held_until) WHERE held_for IS NOT NULL;
CREATE TABLE held_keys (
  lane_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  event_id BIGINT NOT NULL,
  gate TEXT NOT NULL,
  PRIMARY KEY (lane_id, key, event_id)
) WITHOUT ROWID;
CREATE INDEX held_keys_event ON held_keys (event_id);
CREATE TABLE message_ids (
  lane_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  noted_at BIGINT NOT NULL,
  PRIMARY KEY (lane_id, key)
) WITHOUT ROWID;
CREATE INDEX message_ids_noted ON message_ids (noted_at);
CREATE TABLE identities (
  lane_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  email TEXT NOT NULL,
  PRIMARY KEY (lane_id, key)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
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
);
CREATE INDEX dead_letters_lane ON dead_letters (lane_id, id);
CREATE INDEX dead_letters_died ON dead_letters (died_at);
CREATE TABLE workers (id TEXT PRIMARY KEY, alive_until BIGINT NOT NULL);

INSERT INTO schema_versions (version, applied_at) VALUES (1, 1795392000000);
INSERT INTO facts (name, value) VALUES ('secret', '04864fbc979e0e7b2a93cdf43fbb029c9fb7ea109191e3289ba2c628d43df541');
INSERT INTO facts (name, value) VALUES ('retained_at', '1795392001000');
INSERT INTO lanes (id, fingerprint, sealed_key, created_at, due_at, paused_until, failures, slow, succeeded_at, parked_at, parked_status, parked_reason, tried_at, oldest_at, worker, token, events, bytes, dead, dead_bytes) VALUES (1, 'a670a0300fde981454702fe757ee6e894284b41eccc1ab12cda8ec6728b37abd', 'nccxJP4T9HcmNO39lesjaGdSV_bu0zpGr0HAYi-7qkDzvF4g0TbrRg', 1795392000000, 1795392001000, 0, 0, 0, 1795392001000, NULL, NULL, NULL, 1795392001000, 1795392000000, NULL, 1, 5, 2390, 2, 776);
INSERT INTO lanes (id, fingerprint, sealed_key, created_at, due_at, paused_until, failures, slow, succeeded_at, parked_at, parked_status, parked_reason, tried_at, oldest_at, worker, token, events, bytes, dead, dead_bytes) VALUES (2, '1a58eaf8a41c6a748cff7be47f7a21a8820553e4855af5bcbc3097eef431a3b0', 'HHULEOu-SF-WxxvwdBXMvs9fZEp1yBlGwDNCC7YXpE0SkcYSU_QYwg', 1795392001000, 1795392061000, 1795392061000, 1, 1, NULL, 1795392001000, 401, 'Invalid API key.', 1795392001000, 1795392001000, NULL, 1, 1, 487, 0, 0);
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (3, 1, 'waits for an email', 'track', 488, 1795392000000, 0, NULL, 0, 'email', 1795395601000, '{"messageId":"waits for an email","type":"track","options":{},"event":{"type":"track","messageId":"waits for an email","userId":"ben","event":"opened","properties":{"n":1}},"userId":"ben"}');
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (4, 1, 'waits for its turn', 'track', 488, 1795392000000, 0, NULL, 0, 'turn', 1795395601000, '{"messageId":"waits for its turn","type":"track","options":{},"event":{"type":"track","messageId":"waits for its turn","userId":"ben","event":"closed","properties":{"n":2}},"userId":"ben"}');
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (5, 1, 'waits for a contact', 'track', 481, 1795392000000, 1, 1795392001000, 0, 'contact', 1795392901000, '{"messageId":"waits for a contact","type":"track","options":{},"event":{"type":"track","messageId":"waits for a contact","event":"bought","properties":{}},"email":"eve@example.com"}');
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (7, 1, 'being fired', 'track', 468, 1795392000000, 0, NULL, 1, NULL, NULL, '{"messageId":"being fired","type":"track","options":{},"event":{"type":"track","messageId":"being fired","userId":"ann","event":"fired","properties":{}},"userId":"ann"}');
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (8, 1, 'queued', 'identify', 465, 1795392000000, 0, NULL, 0, NULL, NULL, '{"messageId":"queued","type":"identify","options":{},"event":{"type":"identify","messageId":"queued","traits":{"email":"zoe@example.com"}},"email":"zoe@example.com"}');
INSERT INTO events (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, firing, held_for, held_until, body) VALUES (9, 2, 'of a refused key', 'track', 487, 1795392001000, 0, NULL, 0, NULL, NULL, '{"messageId":"of a refused key","type":"track","options":{},"event":{"type":"track","messageId":"of a refused key","event":"purchase_completed","properties":{}},"email":"ann@example.com"}');
INSERT INTO held_keys (lane_id, key, event_id, gate) VALUES (1, 'BzBbbuEjv0RnJCsBlA8euW', 5, 'track');
INSERT INTO held_keys (lane_id, key, event_id, gate) VALUES (1, 'hSyyl703OWhdO1urG_76k4', 3, 'track');
INSERT INTO held_keys (lane_id, key, event_id, gate) VALUES (1, 'hSyyl703OWhdO1urG_76k4', 4, 'track');
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, '!yQ5EQpOyZH_bHDQA78g2oO', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'being fired', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'delivered', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'identify of ann', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'queued', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'refused', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'waits for a contact', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'waits for an email', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (1, 'waits for its turn', 1795392000000);
INSERT INTO message_ids (lane_id, key, noted_at) VALUES (2, 'of a refused key', 1795392001000);
INSERT INTO identities (lane_id, key, email) VALUES (1, '55kN9HJG3R32oc6QEhld2r', 'ann@example.com');
INSERT INTO identities (lane_id, key, email) VALUES (1, 'mrI2l-FR-iExBJhWOhJ5I-', 'ann@example.com');
INSERT INTO dead_letters (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body) VALUES (1, 1, 'not an event', 'rejected', 307, 1795392000000, 0, NULL, 1795392000000, 'rejected', 'It has no type.', '{"a":1}');
INSERT INTO dead_letters (id, lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body) VALUES (2, 1, 'refused', 'track', 469, 1795392000000, 0, NULL, 1795392001000, 'refused', 'Unknown list.', '{"messageId":"refused","type":"track","options":{},"event":{"type":"track","messageId":"refused","event":"bad","properties":{"it''s":"quoted"}},"email":"kim@example.com"}');
INSERT INTO workers (id, alive_until) VALUES ('worker', 1795644874147);
