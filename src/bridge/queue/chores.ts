/** Rows changed in one transaction by housekeeping, so that requests never wait long for it. */
export const CHORE_ROWS = 1_000
/** Rows gone through in one transaction. */
export const SCAN_ROWS = 500

/** Told how many rows a long job has done so far. */
export type Progress = (done: number) => void

/** Goes through all rows by their ids. */
export async function* pages<Page extends { after?: number }>(
  read: (after: number) => Promise<Page>
): AsyncGenerator<Page> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Page = await read(after)
    yield page
    after = page.after
  }
}

/** Repeats a chore that does a limited number of rows until there are no more. @returns their total */
export async function untilDone(chore: () => Promise<number>, progress: Progress = () => undefined): Promise<number> {
  let total = 0
  for (let count = await chore(); count > 0; count = await chore()) {
    total += count
    progress(total)
  }
  return total
}
