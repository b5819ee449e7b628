const DURATIONS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZES = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** Milliseconds of `90s`, `30m`, `1h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  return unit === undefined ? undefined : Math.round(Number(number) * DURATIONS[unit as keyof typeof DURATIONS])
}

/** Bytes of `500MB` or `10GB`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]B)$/.exec(text.toUpperCase()) ?? []
  return unit === undefined ? undefined : Math.round(Number(number) * SIZES[unit as keyof typeof SIZES])
}

/** Milliseconds since 1970 of `2026-01-15`, `2026-01-15T10:00:00Z`, or of a duration before now such as `2h`. Undefined for anything else. */
export function parseMoment(text: string): number | undefined {
  const ago = parseDuration(text)
  if (ago !== undefined) return Date.now() - ago
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(time) ? undefined : time
}
