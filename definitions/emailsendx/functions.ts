/*
 * The destination as functions, for programs that deliver without Segment: an outcome for each event, nothing thrown.
 * A client is made with createRequestClient(requestOptions(settings), …) of actions-core.
 */
export type { ContactsPage } from './api'
export { requestOptions } from './connection'
export { readContacts } from './contacts'
export { membershipOf } from './identifyContact/audience'
export { identifyContacts } from './identifyContact/send'
export { askForKey } from './key'
export { normalizeEventName } from './trackEvent/event'
export { trackEvent } from './trackEvent/send'
export type { TrackOptions } from './trackEvent/send'
export { forgetContacts } from './memory'
export type { ContactIds } from './memory'
export type { Payload as IdentifyPayload } from './identifyContact/generated-types'
export type { Payload as TrackPayload } from './trackEvent/generated-types'
export type { Settings } from './generated-types'
export type { Answer, Delivered, Outcome, Undelivered } from './outcome'
export type { Pace } from './pace'
export { OUTCOMES, outcomesOf } from './render'
export { toEmail } from './address'
export { resolveEmail } from './email'
