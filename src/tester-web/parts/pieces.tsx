import type { ComponentChildren } from 'preact'

/** A value of the API in one line. */
export const inWords = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

export const Value = ({ value }: { value: unknown }) => <>{inWords(value)}</>

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="quiet empty">{children}</p>
}

/** The API's times are in whole seconds. */
const openedAt = Math.floor(Date.now() / 1000) * 1000

/** Whether something happened since the page was opened, and is to be pointed out as it appears. */
export const isFresh = (time: string): boolean => Date.parse(time) >= openedAt

/** The time of day of an ISO time. */
export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
}
