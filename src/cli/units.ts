import { InvalidArgumentError, Option } from 'commander'
import { parseMoment } from '../bridge/units'

/** A whole number within bounds. @throws InvalidArgumentError */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(`It must be an integer from ${minimum} to ${maximum}.`)
  }
}

/** @param standard the port where neither the option nor the environment's variable says another */
export function portOption(flag: string, variable: string, standard: number, what: string): Option {
  return new Option(`${flag} <number>`, `port of ${what}; 0 picks a free one`)
    .env(variable)
    .default(standard)
    .argParser(integer(0, 65_535))
}

/** A time as `parseMoment` takes it. @throws InvalidArgumentError */
export function moment(text: string): number {
  const time = parseMoment(text)
  if (time !== undefined) return time
  throw new InvalidArgumentError('It must be a time such as 2026-01-15T10:00:00Z, or a duration ago such as 2h.')
}
