import { Command } from 'commander'
import { shown } from '../actions-cli/load'
import { problemsOf } from '../actions-cli/validate'
import { loadDefinitions } from './definitions'

/** `validate`: one line per problem, exit code 1 when there is any. */
export const validateCommand = () =>
  new Command('validate')
    .description("Check definitions as Segment's CLI does, and fail where it only warns")
    .argument('[folders...]', 'folders of destinations (default: all in definitions/)')
    .action(async (folders: string[]) => {
      for (const { folder, definition } of await loadDefinitions(folders)) {
        const problems = problemsOf(definition)
        for (const problem of problems) console.error(`${shown(folder)}: ${problem}`)
        if (problems.length === 0) console.log(`${shown(folder)}: valid`)
        else process.exitCode = 1
      }
    })
