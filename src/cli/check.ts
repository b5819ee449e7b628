import { Command } from 'commander'
import { check, conclusion, tally, type CheckOptions, type Report } from '../check'
import { byVerdict, pasteable } from '../check/paste'
import { accountFor, apiUrlOption, KEY_HELP } from './account'
import { table } from './table'

interface Options {
  apiUrl: string
  defaultList?: string
  write?: string
  email?: string
  event?: string
  json: boolean
  paste: boolean
}

/** `bin/run check`: whether an account can be used, and whether its server is what the sandbox assumes. */
export const checkCommand = () =>
  new Command('check')
    .description('look at an EmailSendX account: address, key, scopes, limits, and what the documentation leaves open')
    .addOption(apiUrlOption())
    .option('--default-list <id>', 'the list that is to be Default List ID: does it exist?')
    .option('--write <list>', 'also try what only writing shows, with one contact on this list')
    .option('--email <address>', 'the address of that contact; yours, since automations may mail it')
    .option('--event <name>', 'fire this event at it too, which starts the automations that wait for it')
    .option('--json', 'print JSON', false)
    .option('--paste', 'print Markdown for an issue, without key, addresses and names', false)
    .addHelpText(
      'after',
      `${KEY_HELP}\nWithout --write nothing is changed. With it, one contact stays behind: the API deletes nothing.`
    )
    .action(async (options: Options) => {
      const report = await check(await accountFor(options.apiUrl), inputs(options))
      console.log(options.json ? JSON.stringify(report, null, 2) : options.paste ? pasteable(report) : words(report))
      if (!isUsable(report)) process.exitCode = 1
    })

/** Whether the destination would work with these settings, as far as it can be seen. */
const isUsable = ({ findings }: Report): boolean =>
  findings.every(({ mark }) => mark !== 'change') &&
  findings.some(({ about, mark }) => about === 'API key' && mark === 'ok')

function inputs({ defaultList, write, email, event }: Options): CheckOptions {
  if (write === undefined) {
    if (email !== undefined || event !== undefined) throw new Error('--email and --event belong to --write LIST_ID')
    return { defaultListId: defaultList }
  }
  if (email === undefined || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
    throw new Error('--write needs --email ADDRESS: the contact that it may create')
  }
  return { defaultListId: defaultList, write: { listId: write, email, event } }
}

const MARKS = { ok: 'ok', change: 'CHANGE', unknown: '?' }

function words(report: Report): string {
  const { findings, readings, left, calls } = report
  const findingRows = findings.map(({ about, mark, says }) => [about, MARKS[mark], says])
  const readingRows = byVerdict(readings).map(({ about, verdict, saw }) => [about, verdict, saw])
  return [
    table(['', '', ''], findingRows).trimStart(),
    ...(readings.length > 0
      ? [
          '',
          `What the documentation leaves open (docs/sandbox.md has each in words): ${tally(readings)}`,
          '',
          table(['assumption', '', 'seen'], readingRows)
        ]
      : []),
    ...(left.length > 0 ? ['', 'Left behind, since nothing can be deleted:', ...left.map((item) => `- ${item}`)] : []),
    '',
    `${calls} calls. ${conclusion(report)}`
  ].join('\n')
}
