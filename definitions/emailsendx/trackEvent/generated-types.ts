// Generated file. DO NOT MODIFY IT BY HAND.

export interface Payload {
  /**
   * The email address of the contact the event belongs to. When empty, User ID is used if it is an email address, else EmailSendX finds the contact by User ID. An address in the event is the surest way: analytics.js adds none to track(), so let a source middleware add context.traits.email; servers can send it; mobile libraries do. An address among the properties counts as the contact's, too, also beside another person's User ID: map context.traits.email alone if yours are about others.
   */
  email?: string
  /**
   * The ID of the user in your own system. It stands in for Email when Email is empty and the ID is an email address.
   */
  userId?: string
  /**
   * The ID of a visitor who is not known by name. It helps to find the contact of an event that has no email address.
   */
  anonymousId?: string
  /**
   * The name of the event. Automations with this name in their Custom Event trigger start. Each event costs one or two of the 120 requests a minute that EmailSendX allows, also when no automation waits for it: narrow the trigger of this mapping to the events that one does.
   */
  eventName: string
  /**
   * EmailSendX ignores upper and lower case in event names, but not spaces. In the normal form "Purchase Completed", "purchase_completed" and "PURCHASE_COMPLETED" all start the same automation.
   */
  eventNameForm?: string
  /**
   * What is known about the event. Automations can use these values in their conditions.
   */
  properties?: {
    [k: string]: unknown
  }
  /**
   * When the event happened. It decides how long an event may wait for its contact, and which events are too old.
   */
  timestamp?: string
  /**
   * What to do with an event that has a User ID but no email address, when no identify() seen here has told the address. EmailSendX finds the contact that an earlier identify() named with the same User ID.
   */
  withoutEmail?: string
  /**
   * The ID of the event. It goes with events whose contact EmailSendX finds by User ID.
   */
  messageId?: string
  /**
   * Where the event happened. It goes with events whose contact EmailSendX finds by User ID, and with no others.
   */
  context?: {
    [k: string]: unknown
  }
  /**
   * What to do with an event of somebody who is not a contact in EmailSendX. An event can arrive just before the identify() that creates the contact, so by default it is tried again until it is one hour old. Creating the contact takes an email address in the event.
   */
  unknownContact?: string
  /**
   * Reject events that are older than this many hours, so that replaying old data does not send emails about it. Leave empty to accept events of any age.
   */
  maxAgeHours?: number
}
