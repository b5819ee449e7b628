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
