import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../bridge/units'

/** A whole number within bounds. @throws InvalidArgumentError */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(`It must be an integer from ${minimum} to ${maximum}.`)
  }
}

/** Milliseconds since 1970 of `2026-01-15`, `2026-01-15T10:00:00Z`, or of a duration before now such as `2h`. */
export function moment(text: string): number {
  const ago = parseDuration(text)
  const time = ago !== undefined ? Date.now() - ago : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (!Number.isNaN(time)) return time
  throw new InvalidArgumentError('It must be a time such as 2026-01-15T10:00:00Z, or a duration ago such as 2h.')
}
