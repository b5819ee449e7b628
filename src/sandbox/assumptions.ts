/** How one open question about EmailSendX's API is answered here. */
interface Assumption {
  /** The number or status the code uses, where the answer is one. */
  value?: number
  /** The answer in one sentence. */
  reading: string
}

/**
 * Everything the sandbox had to assume, in one place. The published API pages do not settle these points (or contradict
 * each other); the reading chosen is the one that asks most of a client without inventing features. `docs/sandbox.md`
 * shows the same table.
 */
export const assumed = {
  // Paging and filters
  limitOverMaximum: {
    value: 400,
    reading: 'A `page` or `limit` that is not an integer in range is refused; `limit` is not clamped.'
  },
  repeatedParameter: { reading: 'Of a query parameter given twice the first value counts.' },
  order: { reading: 'Collections come newest first, lists and automations oldest first.' },
  search: {
    reading: '`search` is a case-insensitive substring of email, first or last name; no character is special.'
  },
  statusFilter: { value: 400, reading: 'An unknown `status` filter is refused.' },
  listFilter: { value: 404, reading: 'A `list_id` that does not exist is not found.' },
  // Contacts
  contactById: { reading: '`GET /contacts/{id}` exists; update and delete by id do not.' },
  upsertCreated: { value: 201, reading: 'The single upsert answers 201 for a new contact …' },
  upsertUpdated: { value: 200, reading: '… and 200 for an existing one, both with the whole contact.' },
  upsertList: { reading: 'The single upsert takes `listId`, as the bulk call does.' },
  unknownList: { value: 404, reading: 'An unknown `listId` refuses the whole call and nothing is applied.' },
  email: {
    reading:
      'Emails are trimmed and lower-cased; at most 254 characters, one `@`, a dot in the domain, no spaces or control characters.'
  },
  names: { reading: 'A name that was never sent is `null`; a `null` name is ignored, an empty one is stored.' },
  metadata: {
    reading:
      'Metadata is merged key by key (not deeply); any JSON value is kept, `null` included; `null` or `[]` as a whole counts as empty.'
  },
  status: {
    reading:
      'New contacts are `active`; an upsert never changes a status. `status`, `tags` and unknown keys are ignored.'
  },
  bulkMaximum: { value: 1000, reading: 'More than 1,000 rows in a bulk call, none, or no array is refused.' },
  bulkStatus: { value: 200, reading: 'A bulk call answers 200 even when rows failed; it returns no ids.' },
  bulkErrors: {
    reading: 'A bad row adds 1 to `failed` and one `{"message"}` to `errors`, which does not say which row it was.'
  },
  bulkDuplicates: {
    reading: 'Of several rows with one email in a call only the last is applied; the earlier ones are `skipped`.'
  },
  listByName: {
    reading:
      '`listName` without `listId` finds a list by exact name; `createListIfMissing` creates it, with no other scope than contacts:write.'
  },
  // Events and automations
  eventStatus: {
    value: 200,
    reading: 'Firing an event answers 200, also when nothing matches, and echoes the name as sent.'
  },
  eventMatch: {
    reading:
      'Names match case-insensitively and otherwise exactly: no trimming, no underscores for spaces (see `--event-match`).'
  },
  eventRepeat: { reading: 'Events are never de-duplicated: every firing starts every matching automation again.' },
  eventContactStatus: { reading: 'The status of the contact does not stop an event from starting automations.' },
  runs: { reading: 'A run of an automation never ends, so `completedCount` stays 0.' },
  enroll: {
    value: 200,
    reading:
      'Enrolling takes `contactId`, answers `{automationId, contactId, enrolled}`, and `enrolled` is false when a run is already active.'
  },
  enrollInactive: { value: 400, reading: 'Enrolling into an automation that is not active is refused.' },
  automationSteps: { reading: 'A step is `{id, order, type, name}`.' },
  // Lists, custom fields, the rest
  oneById: { reading: '`?id=` answers one object, not an array, and 404 when there is none.' },
  listCreated: {
    value: 201,
    reading: 'Creating a list answers 201 with the wrapped list; two lists may have one name.'
  },
  customFieldCreated: { value: 201, reading: 'Custom fields are not paged; creating one answers 201 …' },
  customFieldExists: { value: 400, reading: '… and a key that exists is refused.' },
  readOnly: { reading: 'Segments and campaigns are the examples of the API pages; forms are empty.' },
  whoami: { reading: '`GET /whoami` needs no scope and answers workspaceId, workspaceName, keyName and scopes.' },
  // Protocol
  bothHeaders: { reading: 'A Bearer key wins over `x-api-key`.' },
  counting: {
    reading: 'Every call with a valid key counts against the window whatever its outcome, except those answered 429.'
  },
  reset: { reading: '`X-RateLimit-Reset` is the second in which the oldest counted call leaves the window.' },
  malformed: {
    value: 400,
    reading: 'Malformed JSON, a body that is not UTF-8 and a missing or other Content-Type are refused.'
  },
  bodyMaximum: { value: 1_048_576, reading: 'A body over 1 MiB is answered 413.' },
  depthMaximum: { value: 200, reading: 'A body nested deeper than 200 levels is refused with 400.' },
  unknownRoute: {
    value: 404,
    reading: 'A path that is no API route is answered by the website: HTML, no key checked, nothing counted.'
  },
  wrongMethod: { value: 405, reading: 'So is a wrong method, with `Allow`.' },
  formats: { reading: 'Times are whole seconds in UTC; ids look like CUIDs; bodies are camelCase inside `{data}`.' }
} as const satisfies Record<string, Assumption>
