import { conclusion, tally, type Reading, type Report } from './report'

/** What may stand in the words of a server, or in an advice, and is nobody's business. */
const PRIVATE = /\S+@\S+|https?:\/\/\S*[^\s.,]|\b(esx_\w+|cl[a-z0-9_]{8,})/g

const cell = (text: string): string =>
  text
    .replace(PRIVATE, '…')
    .replaceAll('|', '\\|')
    .replace(/\p{Cc}/gu, ' ')

/** The report as Markdown for an issue: no key, no address, nothing that names the account or its people. */
export function pasteable(report: Report): string {
  const { findings, readings, calls } = report
  const findingRows = findings.map(({ about, mark }) => `| ${cell(about)} | ${mark} |`)
  const readingRows = readings.map(
    ({ about, verdict, saw, assumption }) => `| ${about} | ${verdict} | ${cell(saw)} | ${cell(assumption)} |`
  )
  return [
    `### Check of an EmailSendX account: ${tally(readings)}`,
    '',
    `${calls} calls.`,
    '',
    '| about | |',
    '| --- | --- |',
    ...findingRows,
    '',
    ...(readings.length > 0
      ? [
          '| assumption | verdict | what was seen | what the sandbox does |',
          '| --- | --- | --- | --- |',
          ...readingRows,
          ''
        ]
      : []),
    cell(conclusion(report))
  ].join('\n')
}

const ORDER: Record<Reading['verdict'], number> = { contradicted: 0, confirmed: 1, 'not tested': 2 }

/** The contradicted ones first: they are what somebody has to look at. */
export const byVerdict = (readings: Reading[]): Reading[] =>
  [...readings].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict])
