/*
 * When the actions run, in Segment's trigger language. Most of a website's visitors are anonymous: events with neither a
 * user id nor an address belong to nobody EmailSendX could know, so that they are left out here rather than refused there.
 */

export const IDENTIFY_TRIGGER =
  'type = "identify" and (userId != null or traits.email != null or context.traits.email != null)'

export const TRACK_TRIGGER =
  'type = "track" and (userId != null or context.traits.email != null or traits.email != null or properties.email != null)'
