/** Rows under their heads, as wide as they need to be, with nothing in them that speaks to the terminal. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column].length)))
  return [head, ...rows]
    .map((row) =>
      printable(
        row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd()
      )
    )
    .join('\n')
}

/** Others' texts may hold the control sequences of a terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?')

/** How long ago a time is, roughly; empty for none. */
export function ago(time: number | undefined, now = Date.now()): string {
  if (time === undefined) return ''
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  const [size, unit] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's']
  ].find(([least]) => seconds >= Number(least)) ?? [1, 's']
  return `${Math.floor(seconds / Number(size))}${unit}`
}
