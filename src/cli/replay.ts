import { Command, InvalidArgumentError, Option } from 'commander'
import type * as replays from './replay-run'
import type { ReplayOptions } from './replay-run'
import { integer } from './units'

/** `bin/run replay`: sends a history of events, from files, to EmailSendX. */
export function replayCommand(): Command {
  const dir = ['--dir <folder>', 'folder that keeps how far it has got', 'emailsendx-replay'] as const
  const command = new Command('replay')
    .description('send a history of events, from files, to EmailSendX')
    .argument(
      '[files...]',
      'JSON lines, JSON arrays or CSV, gzipped or not; - is standard input; none: go on with the last'
    )
    .option('--map <column=field>', 'what a column of a CSV stands for; may be repeated', column)
    .option('--dry-run', 'print what would be done, and send nothing')
    .option('--json', 'print JSON')
    .option('--fire-events-since <date>', 'fire the track calls from then on, which start automations', date)
    .option('--list <id>', 'list that the contacts join')
    .option('--budget <calls>', 'calls a minute at most; EmailSendX allows 120 in all', integer(1, 1_000_000), 60)
    .option(...dir)
    .option('--store <target>', "go through a bridge's store (SQLite file or postgres://…): the bridge delivers")
    .addOption(new Option('--api-url <url>', 'EmailSendX').env('BRIDGE_API_URL').default('https://emailsendx.com'))
    .option('--yes', 'do not ask before events are fired')
    .addHelpText('after', '\nThe API key comes from EMAILSENDX_API_KEY, or is asked for on a terminal.')
    .action((files: string[], options: ReplayOptions) => load().start(files, options))

  return command.addCommand(
    new Command('status')
      .description('how far a replay has got')
      .option(...dir)
      .option('--json', 'print JSON')
      .action((options: { dir: string; json?: boolean }, self: Command) =>
        load().status({ ...options, ...self.optsWithGlobals() })
      )
  )
}

/** Only where it runs: with it come the bridge's queue and its databases. */
function load(): typeof replays {
  return require('./replay-run') as typeof replays
}

/** A fixed one: a duration would mean something else each time the replay is started again. */
function date(text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (!Number.isNaN(time)) return time
  throw new InvalidArgumentError('It must be a date such as 2026-11-01 or 2026-11-01T10:00:00Z.')
}

function column(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.lastIndexOf('=')
  if (at > 0) return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() }
  throw new InvalidArgumentError(
    'It must be COLUMN=FIELD, such as "E-Mail=email"; nothing after = leaves the column out.'
  )
}
