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
  order: { reading: 'Contacts come newest first, lists oldest first.' },
  search: { reading: '`search` is a case-insensitive part of email, first or last name; no character is special.' },
  statusFilter: { value: 400, reading: 'An unknown `status` filter is refused with 400.' },
  unknownList: {
    value: 404,
    reading: 'An unknown `list_id` or `listId` is 404 for the whole call; nothing is applied.'
  },

  contactById: { reading: 'There is no reading, updating or deleting of a contact by its id.' },
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

  eventStatus: {
    value: 200,
    reading: 'Firing an event answers 200, also when nothing matches, and echoes the name as sent.'
  },
  eventRepeat: { reading: 'Nothing is de-duplicated: every firing starts every matching automation again.' },
  eventContactStatus: { reading: 'The status of the contact does not stop an event from starting automations.' },

  segmentEmail: {
    reading:
      'An `identify` at `/api/segment/track` prefers `traits.email` to a `userId` that is an address; without either it is refused with 400.'
  },
  segmentUser: {
    reading:
      "An event's `userId` is first tried as an address, then as one that an `identify` there has linked; the last such `identify` counts."
  },
  segmentTypes: { reading: 'Calls other than `identify` and `track` are answered 200 and ignored.' },
  segmentFields: {
    reading:
      'Of the common fields only `userId`, `anonymousId` and `context.traits` are looked at; nothing is de-duplicated.'
  },
  rudderstack: {
    reading:
      "`/api/rudderstack/track` does what `/api/segment/track` does, and knows the same users. Traits may be in the `context`, where RudderStack's library for browsers puts them."
  },

  oneById: { reading: '`?id=` answers one object, not an array; an unknown id is 404.' },
  listCreated: { value: 201, reading: 'Creating a list answers 201; several lists may have one name.' },
  customFieldCreated: { value: 201, reading: 'Creating a custom field answers 201; the list of them is not paged.' },
  customFieldExists: { value: 400, reading: 'A custom field whose key exists is refused with 400.' },
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

/**
 * Questions whose answer may well be the other one, so that a client should be tried with each. The first choice is how
 * a new sandbox answers.
 */
export const switches = {
  eventMatch: {
    'case-insensitive': 'Names of events match case-insensitively and otherwise exactly.',
    normalized: 'Spaces around a name do not count either, and a row of spaces and underscores is one underscore.'
  },
  whoami: {
    available: '`GET /whoami` answers.',
    missing: 'It is a 404 in HTML, as on a server that does not have it.'
  },
  segmentEndpoint: {
    available: '`/api/segment/track` and `/api/rudderstack/track` answer.',
    missing: 'They are a 404 in HTML, as on an older self-hosted server.'
  },
  segmentUsers: {
    identified: 'A `userId` finds whom an `identify` at these endpoints has linked.',
    metadata: 'It also finds a contact made in any way whose `metadata.userId` it is.'
  },
  segmentAnonymous: {
    ignored: 'An `anonymousId` finds nobody.',
    resolved: 'It finds whom an `identify` there has linked, when the `userId` finds nobody.'
  },
  segmentContext: {
    ignored: "An event's `context.traits.email` finds nobody.",
    read: 'It finds the contact with this address, when the `userId` finds nobody.'
  },
  segmentUnknown: {
    'not-found': 'An event of nobody known is refused with 404.',
    'bad-request': 'It is refused with 400.',
    accepted: 'It is answered 200 and has no effect.'
  },
  segmentEventMatch: {
    normalized: 'Names of these events match as the product page says: `Purchase Completed` is `purchase_completed`.',
    'as-events': 'They match as `eventMatch` says.'
  },
  segmentArrays: {
    refused: 'A body that is an array is refused with 400.',
    taken: 'Its events are applied in order; a refused one is `{error}` in the answer, which is 200.'
  },
  segmentRate: {
    counted: 'A call counts against the 120 a minute.',
    free: 'It does not.'
  },
  segmentAnswer: {
    data: 'The answer is `{data}`: `{contactId, created}` of an `identify`, for a `track` what the events API answers.',
    success: 'It is `{"success": true}`.',
    empty: 'It is 200 without a body.'
  }
} as const satisfies Record<string, Record<string, string>>

type Switch = keyof typeof switches
/** How each switch is set. */
export type Choices = { [Name in Switch]: keyof (typeof switches)[Name] }

export const defaultChoices = mapSwitches((choices) => choices[0]) as Choices

/** Makes something of the names of each switch's choices. */
export function mapSwitches(map: (choices: string[]) => unknown): Record<Switch, unknown> {
  const made = Object.entries(switches).map(([name, choices]) => [name, map(Object.keys(choices))])
  return Object.fromEntries(made) as Record<Switch, unknown>
}
