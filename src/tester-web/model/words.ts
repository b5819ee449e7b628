/** `customers-list` → `Customers list`. */
export function titled(name: string): string {
  const words = name.replace(/[-_]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `3 events`, `1 event`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** What an event is called where there are several. */
export function nameOf(event: Record<string, unknown>): string {
  const { type, event: name } = event
  return [type, name].filter((word) => typeof word === 'string' && word !== '').join(' · ') || 'event'
}

/** Whom an event is about, as a person would look for them: the address, else the user. */
export function userOf(event: Record<string, unknown>): string {
  const { traits, context, properties, userId, anonymousId } = event as {
    traits?: { email?: unknown }
    context?: { traits?: { email?: unknown } }
    properties?: { email?: unknown }
    userId?: unknown
    anonymousId?: unknown
  }
  const candidates = [traits?.email, context?.traits?.email, properties?.email, userId, anonymousId]
  return (candidates.find((one) => typeof one === 'string' && one !== '') as string | undefined) ?? ''
}

/** Time of day, `6:17 PM`, and the day where it is another one. */
export function clock(time: number): string {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date().toDateString()
  return date.toLocaleString([], {
    hour: 'numeric',
    minute: '2-digit',
    ...(isToday ? {} : { day: 'numeric', month: 'short' })
  })
}

/** Time of day to the millisecond, `6:17:03.042 PM`, for what has an order. */
export function clockMs(time: number): string {
  return new Date(time).toLocaleTimeString([], {
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3
  })
}

/** The words of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Marks that turn the direction of a text, or have no width: whoever is to judge a text has to see that they are there. */
const UNSEEN = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** A text with its unseen marks shown, `⟨U+202E⟩`. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase()}⟩`)
