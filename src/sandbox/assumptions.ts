/** How one open question about EmailSendX's API is answered here. */
interface Assumption {
  /** The number or status the code uses, where the answer is one. */
  value?: number
  /** The answer in words; `docs/sandbox.md` has the same. */
  reading: string
}

/**
 * Everything the sandbox had to assume, in one place. The published API pages do not settle these points (or contradict
 * each other); the reading chosen is the one that asks most of a client without inventing features.
 */
export const assumed = {
  limit: {
    value: 400,
    reading: 'A `page` or `limit` that is no integer in range is refused with 400; `limit` is not clamped.'
  },
  repeatedParameter: { reading: 'Of a query parameter given twice the first value counts.' },
  order: { reading: 'Contacts come newest first; lists, automations and custom fields oldest first.' },
  search: { reading: '`search` is a case-insensitive part of email, first or last name; no character is special.' },
  statusFilter: { value: 400, reading: 'An unknown `status` filter is refused with 400.' },
  unknownList: {
    value: 404,
    reading: 'An unknown `list_id`, `listId` or `listName` is 404 for the whole call; nothing is applied.'
  },

  contactById: { reading: '`GET /contacts/{id}` exists; updating and deleting by id do not.' },
  upsertCreated: { value: 201, reading: 'A single upsert of a new contact answers 201 with the contact.' },
  upsertUpdated: { value: 200, reading: 'A single upsert of an existing contact answers 200 with the contact.' },
  upsertList: { reading: 'A single upsert takes `listId`, as the bulk call does.' },
  email: {
    reading:
      'Emails are trimmed and lower-cased, have at most 254 characters, one `@`, a dot in the domain, no space or control character.'
  },
  names: {
    reading: 'A name that was never sent is `null`; a `null` that is sent changes nothing; an empty name is stored.'
  },
  metadata: {
    reading:
      'Metadata is merged key by key, not deeply; any JSON value is kept, `null` too; `null` or `[]` for the whole counts as empty.'
  },
  status: {
    reading:
      'New contacts are `active`; an upsert never changes a status; `status`, `tags` and unknown keys are ignored.'
  },
  bulkMaximum: {
    value: 1000,
    reading: 'A bulk call with more than 1,000 rows, with none, or without an array is refused with 400.'
  },
  bulkStatus: { value: 200, reading: 'A bulk call answers 200 also when rows failed, and returns no ids.' },
  bulkErrors: {
    reading: 'A bad row adds 1 to `failed` and one `{"message"}` to `errors`, which does not say which row it was.'
  },
  bulkDuplicates: {
    reading: 'Of several rows with one email only the last is applied; the others count as `skipped`.'
  },
  listName: {
    reading:
      '`listName` without `listId` finds a list by exact name; with `createListIfMissing` it is created, and `contacts:write` is enough.'
  },

  eventStatus: {
    value: 200,
    reading: 'Firing an event answers 200, also when nothing matches, and echoes the name as sent.'
  },
  eventMatch: {
    reading: 'Names match case-insensitively and otherwise exactly: no trimming, no underscore for a space.'
  },
  eventRepeat: { reading: 'Nothing is de-duplicated: every firing starts every matching automation again.' },
  eventContactStatus: { reading: 'The status of the contact does not stop an event from starting automations.' },
  runs: { reading: 'A run of an automation never ends, so `completedCount` stays 0.' },
  steps: { reading: 'A step of an automation is `{id, order, type, name}`.' },
  enroll: {
    value: 200,
    reading:
      'Enrolling takes `contactId` and answers 200 with `{automationId, contactId, enrolled}`; `enrolled` is false when a run exists.'
  },
  enrollInactive: { value: 400, reading: 'Enrolling into an automation that is not active is refused with 400.' },

  oneById: { reading: '`?id=` answers one object, not an array; an unknown id is 404.' },
  listCreated: { value: 201, reading: 'Creating a list answers 201; several lists may have one name.' },
  customFieldCreated: { value: 201, reading: 'Creating a custom field answers 201; the list of them is not paged.' },
  customFieldExists: { value: 400, reading: 'A custom field whose key exists is refused with 400.' },
  readOnly: { reading: 'Segments and campaigns are the examples of the API pages; there are no forms.' },
  whoami: {
    reading: '`GET /whoami` needs no scope and answers `workspaceId`, `workspaceName`, `keyName` and `scopes`.'
  },

  bothHeaders: { reading: 'A Bearer key wins over `x-api-key`.' },
  counting: {
    reading: 'Every call with a valid key counts against its window, whatever the outcome, unless it is answered 429.'
  },
  reset: { reading: '`X-RateLimit-Reset` is the second in which the oldest counted call leaves the window.' },
  malformed: {
    value: 400,
    reading: 'A body that is no JSON or no UTF-8, or has no or another Content-Type, is refused with 400.'
  },
  bodyMaximum: { value: 1_048_576, reading: 'A body over 1 MiB is refused with 413.' },
  depthMaximum: { value: 200, reading: 'A body nested more than 200 levels deep is refused with 400.' },
  unknownRoute: {
    value: 404,
    reading: 'A path that is no API route is answered by the website: 404 in HTML, no key checked, nothing counted.'
  },
  wrongMethod: { value: 405, reading: 'A wrong method is answered by the website too: 405 in HTML with `Allow`.' },
  formats: {
    reading: 'Times are whole seconds in UTC, ids look like CUIDs, keys are camelCase, success is wrapped in `{data}`.'
  }
} as const satisfies Record<string, Assumption>
