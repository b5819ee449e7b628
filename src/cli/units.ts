import { InvalidArgumentError } from 'commander'

const DURATIONS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZES: Record<string, number> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** Milliseconds of `90s`, `30m`, `1h` or `7d`. @throws InvalidArgumentError */
export function duration(text: string): number {
  return amount(text, /^(\d+(?:\.\d+)?)([smhd])$/, DURATIONS, 'a duration such as 90s, 30m, 1h or 7d')
}

/** Bytes of `500MB` or `10GB`. @throws InvalidArgumentError */
export function size(text: string): number {
  return amount(text.toUpperCase(), /^(\d+(?:\.\d+)?)([KMGT]B)$/, SIZES, 'a size such as 500MB or 10GB')
}

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
  if (/^\d+(\.\d+)?[smhd]$/.test(text)) return Date.now() - duration(text)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (!Number.isNaN(time)) return time
  throw new InvalidArgumentError('It must be a time such as 2026-01-15T10:00:00Z, or a duration ago such as 2h.')
}

function amount(text: string, pattern: RegExp, units: Record<string, number>, expected: string): number {
  const [, number, unit] = pattern.exec(text) ?? []
  if (unit !== undefined && Number(number) > 0) return Math.round(Number(number) * units[unit])
  throw new InvalidArgumentError(`It must be ${expected}.`)
}
