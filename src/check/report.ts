/** What the settings or the key need. */
export interface Finding {
  about: string
  mark: 'ok' | 'change' | 'unknown'
  says: string
  /** What to change, as one sentence; of a `change` only. */
  change?: string
}

export type Verdict = 'confirmed' | 'contradicted' | 'not tested'

/** How the server answers one open question. */
export interface Seen {
  verdict: Verdict
  /** What was asked and answered, without an address, an id or the key. */
  saw: string
}

export interface Reading extends Seen {
  about: string
  /** What the sandbox assumes. */
  assumption: string
}

export interface Report {
  findings: Finding[]
  readings: Reading[]
  /** What stays in the account: the API deletes nothing. */
  left: string[]
  /** How many calls it took. */
  calls: number
}

export const seen = (asAssumed: boolean, saw: string): Seen => ({
  verdict: asAssumed ? 'confirmed' : 'contradicted',
  saw
})
export const untested = (why: string): Seen => ({ verdict: 'not tested', saw: why })

/** What to change in the settings, if anything. */
export function conclusion({ findings }: Report): string {
  const changes = findings.flatMap(({ change }) => change ?? [])
  return changes.length > 0 ? changes.join(' ') : 'Nothing to change in the settings.'
}

/** How many readings have each verdict: `12 confirmed, 1 contradicted, 20 not tested`. */
export function tally(readings: Reading[]): string {
  const verdicts: Verdict[] = ['confirmed', 'contradicted', 'not tested']
  return verdicts
    .map((verdict) => `${readings.filter((reading) => reading.verdict === verdict).length} ${verdict}`)
    .join(', ')
}
