-- A data file of version 1, with one of everything it could hold.
BEGIN;
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
INSERT INTO keys VALUES (1, 'key_default', 'esx_test_0123456789abcdef0123456789abcdef', '"Sandbox"', '["contacts:write"]', 0);
INSERT INTO contacts VALUES (1, 'contact1', 'a@x.io', 'active', 'a@x.io
ann
', '{"firstName":"Ann","lastName":null,"metadata":{"plan":"pro"}}', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
INSERT INTO lists VALUES (1, 'list1', '"List"', 'null', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
INSERT INTO members VALUES (1, 'list1', 'contact1', '2026-01-15T10:00:00Z');
INSERT INTO events VALUES (1, 'event1', 'contact1', '"old"', '{}', 1, '2026-01-15T10:00:00Z');
INSERT INTO automations VALUES (1, 'auto1', '"Flow"', 'active', 'CUSTOM_EVENT', '"purchase_completed"', '[]',
  '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
INSERT INTO automations VALUES (2, 'auto2', '"Welcome"', 'active', 'CONTACT_CREATED', 'null', '[]',
  '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
INSERT INTO runs VALUES (1, 'run1', 'auto1', 'contact1', 'event1', '2026-01-15T10:00:00Z');
INSERT INTO runs VALUES (2, 'run2', 'auto2', 'contact1', NULL, '2026-01-15T10:00:00Z');
INSERT INTO custom_fields VALUES (1, 'field1', 'plan', '"Plan"', 'text', '[]');
PRAGMA application_id = 0x45535873;
PRAGMA user_version = 1;
COMMIT;
