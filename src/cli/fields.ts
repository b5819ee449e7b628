import { Command } from 'commander'
import type * as fieldsOf from '../fields'
import { accountFor, apiUrlOption, KEY_HELP } from './account'
import { table } from './table'

interface FieldsOptions {
  from: string[]
  create: boolean
  json: boolean
  apiUrl: string
}

/** `bin/run fields`: which traits a template can show, and which custom fields are missing for the others. */
export const fieldsCommand = () =>
  new Command('fields')
    .description('list the traits in events and the custom fields that templates need to show them')
    .requiredOption('--from <files...>', 'identify events: JSON, one a line or an array, also .gz; - is stdin')
    .option('--create', 'create the custom fields that are missing', false)
    .option('--json', 'print JSON', false)
    .addOption(apiUrlOption())
    .addHelpText('after', `${KEY_HELP}\nIt needs the scope custom_fields:read, with --create also custom_fields:write.`)
    .action(async ({ from, create, json, apiUrl }: FieldsOptions) => {
      const { compareFields } = require('../fields') as typeof fieldsOf
      const report = await compareFields(from, await accountFor(apiUrl), create)
      console.log(json ? JSON.stringify(report, null, 2) : words(report))
    })

function words({ identifies, refused, fields, created }: fieldsOf.FieldsReport): string {
  if (fields.length === 0) return `no traits in ${identifies} identify events`
  const rows = fields.map(({ name, seen, type, key, need, collidesWith }) => [
    name,
    String(seen),
    type,
    key ?? '',
    created.includes(key ?? '') ? 'created' : need,
    note(name, key, collidesWith)
  ])
  const missing = fields.filter(({ need, key }) => need === 'missing' && !created.includes(key ?? '')).length
  return [
    table(['trait', 'seen', 'type', 'custom field', '', ''], rows),
    '',
    ...(refused > 0
      ? [`The destination refuses ${refused} of ${identifies} events: a trait of theirs has no usable name.`]
      : []),
    ...(fields.some(({ name, key }) => key !== undefined && key !== name)
      ? [
          'A trait whose key differs fills the field only when Metadata Names of the mapping is "Keys of custom fields".'
        ]
      : []),
    missing > 0
      ? `${missing} custom fields are missing; --create creates them. Until then no template can show those traits.`
      : 'No custom field is missing.'
  ].join('\n')
}

function note(name: string, key: string | undefined, collidesWith: string[]): string {
  if (key === undefined) return 'rename the trait: a key needs a letter from a to z'
  if (collidesWith.length > 0) return `same key as ${collidesWith.join(', ')}: rename one`
  return key === name ? '' : `arrives as ${name}`
}
