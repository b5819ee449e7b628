import { Command, InvalidArgumentError, Option } from 'commander'
import { History } from '../replay/history'
import { hoursFor, makePlan } from '../replay/plan'
import { checkFiles } from '../replay/read'
import { planInWords } from '../replay/words'
import { integer, moment } from './units'

interface CliOptions {
  map?: Record<string, string>
  dryRun?: boolean
  json?: boolean
  fireEventsSince?: number
  budget: number
}

/** `bin/run replay`: sends a history of events, from files, to EmailSendX. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('send a history of events, from files, to EmailSendX')
    .argument('<files...>', 'JSON lines, JSON arrays or CSV, gzipped or not; - is standard input')
    .addOption(
      new Option('--map <column=field>', 'what a column of a CSV stands for; may be repeated').argParser(column)
    )
    .option('--dry-run', 'print what would be done, and send nothing')
    .option('--json', 'print JSON')
    .addOption(
      new Option('--fire-events-since <time>', 'fire the track calls from then on, which start automations').argParser(
        moment
      )
    )
    .addOption(
      new Option('--budget <calls>', 'calls a minute at most; EmailSendX allows 120 in all')
        .default(60)
        .argParser(integer(1, 100_000))
    )
    .action(run)
}

async function run(files: string[], { map: columns = {}, fireEventsSince, budget, json }: CliOptions): Promise<void> {
  await checkFiles(files)
  const history = History.createTemporary()
  try {
    const plan = await makePlan(history, { files, columns, fireSince: fireEventsSince })
    const hours = hoursFor(plan.calls.total, budget)
    console.log(json ? JSON.stringify({ ...plan, budget, hours }, null, 2) : planInWords(plan, budget))
  } finally {
    history.close()
  }
}

function column(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.lastIndexOf('=')
  if (at > 0) return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() }
  throw new InvalidArgumentError(
    'It must be COLUMN=FIELD, such as "E-Mail=email"; nothing after = leaves the column out.'
  )
}
