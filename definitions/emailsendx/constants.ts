export const DEFAULT_API_URL = 'https://emailsendx.com'

/** The value of a list field that means: join no list, not even the default one. List ids are CUIDs, so it can't be one. */
export const NO_LIST = 'none'

/** The vendor's own client sends no more than this per bulk call; the API documents 1,000 (/docs/api/rate-limits). */
export const MAX_CONTACTS_PER_CALL = 500

/** The API documents no limit on a body's size. Calls are kept under this, which every common server accepts. */
export const MAX_BODY_BYTES = 1_000_000

/**
 * Further bulk calls that one batch may spend on finding the contacts that a bulk call refused without naming them.
 * Halving finds one in 500 with at most 18; the API allows 120 requests a minute in all.
 */
export const MAX_EXTRA_CALLS = 18

/** As long as the vendor's own client waits for an answer. */
export const REQUEST_TIMEOUT_MS = 30_000

/** The API's largest page (/docs/api). */
export const PAGE_SIZE = 100

/** Pages one search may read. `search` matches parts of addresses and names, so the contact may not be on the first. */
export const MAX_SEARCH_PAGES = 50

/** Contact ids remembered in this process, over all workspaces. */
export const MAX_REMEMBERED_CONTACTS = 10_000

/** User and anonymous ids remembered in this process, over all workspaces: about 10 MB. */
export const MAX_REMEMBERED_USERS = 50_000

/**
 * User ids that one batch of identifies may tell EmailSendX, each with a request of its own. 1,000 new people come in two
 * batches, which then cost 42 of the 120 requests a minute.
 */
export const MAX_LINKS_PER_BATCH = 20

/**
 * Look-ups that one batch may spend on finding out who of those that leave an audience is a contact at all. The others are
 * sent again by Segment.
 */
export const MAX_LOOK_UPS_PER_BATCH = 20

/** Requests of the minute that are left to events: with no more than these, no user ids are told. */
export const REQUESTS_LEFT_TO_EVENTS = 60

/** How long a server without the endpoint for Segment's webhooks is not asked again. */
export const MISSING_ENDPOINT_MS = 5 * 60 * 1000

/** How long an event waits for a contact that is not there yet: identify and track may arrive in either order. */
export const UNKNOWN_CONTACT_WAIT_MS = 60 * 60 * 1000

export const HOUR_MS = 60 * 60 * 1000

/** RFC 5321: an address has at most 254 characters. */
export const MAX_EMAIL_LENGTH = 254

/** The API documents no limit on names of metadata fields; a longer one is a mistake in what was mapped. */
export const MAX_KEY_LENGTH = 255

/** Keys of custom fields, `^[a-z][a-z0-9_]{0,49}$` (known from the vendor's client). */
export const MAX_FIELD_KEY_LENGTH = 50

/** Deeper values are refused. Segment's own limit of 32 KB an event leaves room for far deeper ones. */
export const MAX_DEPTH = 100
