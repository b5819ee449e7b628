// Generated file. DO NOT MODIFY IT BY HAND.

export interface Payload {
  /**
   * The email address of the contact, by which EmailSendX finds it. When empty, User ID is used if it is an email address.
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
   * The first name of the contact. When empty, it is the trait first_name, and without one the name in EmailSendX stays as it is.
   */
  firstName?: string
  /**
   * The last name of the contact. When empty, it is the trait last_name, and without one the name in EmailSendX stays as it is.
   */
  lastName?: string
  /**
   * What else you know about the contact. Every trait other than the email address and the names becomes a metadata field of the same name. Empty values are not sent, so they never erase anything.
   */
  traits?: {
    [k: string]: unknown
  }
  /**
   * What to do with a trait that contains others, such as an address: spread it over several metadata fields (address_city), store it as JSON text, or send it as it is.
   */
  nestedTraits?: string
  /**
   * What the metadata fields are called. Templates in EmailSendX can show custom fields only, and a custom field takes its value from the metadata field with its key: lower-case letters, digits and underscores. To use traits in emails, choose keys of custom fields, and create those fields in EmailSendX.
   */
  metadataNames?: string
  /**
   * When there is neither a first nor a last name, take them from the trait "name": the first word, and the others.
   */
  splitName?: boolean
  /**
   * The list the contact joins. Leave it empty to use the Default List ID of the settings, or choose "Do not add to a list" (none). Other lists of the contact stay as they are.
   */
  listId?: string
  /**
   * Where the contact agreed to get emails, such as signup-form. An identify() alone is no consent, so leave it empty unless every event of this mapping is one.
   */
  consentSource?: string
  /**
   * What to do with an identify() of Segment's Engage which says that somebody has left an audience. By default it joins no list and creates no contact, and a contact that exists gets the false.
   */
  leavingAudience?: string
  /**
   * Tell EmailSendX which User ID a contact has, so that it finds the contact of an event that has no email address: a website's events have none. It costs one request for each new User ID, at most 20 a batch.
   */
  linkUserId?: boolean
  /**
   * Send events to EmailSendX in batches. Each event of a batch still gets a result of its own.
   */
  enable_batching?: boolean
  /**
   * The largest number of events in one batch: what one request to EmailSendX takes.
   */
  batch_size?: number
  /**
   * Contacts of one batch go to the same list with the same consent, so that each batch takes as few requests as possible.
   */
  batch_keys?: string[]
}
