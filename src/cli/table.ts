/** Rows under their heads, as wide as they need to be. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column].length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** Others' texts may hold the control sequences of a terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?')
