import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { format } from 'prettier'
import type { GeneratedFile } from '../actions-cli/generated-file'
import { segmentStyle } from '../actions-cli/generated-file'
import type { LoadedDefinition } from '../actions-cli/load'
import { metadataFile } from '../actions-cli/metadata'

/** What the page needs of `metadata.json`. */
interface Metadata {
  name: string
  authentication: { fields: Record<string, Field> } | null
  actions: Record<string, Action>
  presets: { name: string; type: string; partnerAction: string; subscribe?: string; eventSlug: string | null }[]
}

interface Action {
  title: string
  description: string
  defaultSubscription: string | null
  hidden: boolean
  fields: Record<string, Field>
}

interface Field {
  label: string
  description: string
  required: unknown
  default: unknown
  choices: { label: string; value: unknown }[] | null
  hidden?: boolean | null
}

const GENERATED = /(<!-- generated from metadata\.json -->\n)[^]*?(<!-- end -->)/

/**
 * The destination's page for Segment's docs, in `docs/upstream/<folder>.md`, with the settings, presets and actions as they are now.
 * @throws when the page has no place for them
 */
export async function catalogPageFiles(loaded: LoadedDefinition): Promise<GeneratedFile[]> {
  const file = path.resolve(__dirname, '../../docs/upstream', `${path.basename(loaded.folder)}.md`)
  const page = await readFile(file, 'utf8')
  if (!GENERATED.test(page)) throw new Error(`${file}: no "<!-- generated from metadata.json -->" … "<!-- end -->"`)
  const metadata = JSON.parse(metadataFile(loaded).content) as Metadata
  const filled = page.replace(GENERATED, (_, start: string, end: string) => `${start}\n${reference(metadata)}\n${end}`)
  return [{ path: file, content: format(filled, { ...segmentStyle, parser: 'markdown' }) }]
}

/** Settings, presets and actions, in the order and the words of what Segment's docs render for a public destination. */
function reference({ name, authentication, actions, presets }: Metadata): string {
  const shown = Object.values(actions).filter(({ hidden }) => !hidden)
  return [
    '## Destination Settings',
    table(['Setting', 'Description'], Object.values(authentication?.fields ?? {}).map(settingRow)),
    '## Available Presets',
    `${name} has the following presets:`,
    table(
      ['Preset Name', 'Trigger', 'Default Action'],
      presets.map(({ name, subscribe, eventSlug, partnerAction }) => [
        name,
        subscribe ? `Event ${code(subscribe)}` : `Event type ${code(eventSlug)}`,
        actions[partnerAction].title
      ])
    ),
    '## Available Actions',
    shown.map(({ title }) => `- [${title}](#${title.toLowerCase().replaceAll(' ', '-')})`).join('\n'),
    ...shown.flatMap(({ title, description, defaultSubscription, fields }) => [
      `### ${title}`,
      description,
      ...(defaultSubscription ? [`Default trigger: ${code(defaultSubscription)}`] : []),
      table(['Field', 'Description', 'Default'], Object.values(fields).filter(isShown).map(fieldRow))
    ])
  ].join('\n\n')
}

const isShown = ({ hidden }: Field) => !hidden

const settingRow = (field: Field) => [labelOf(field), descriptionOf(field)]

const fieldRow = (field: Field) => [labelOf(field), descriptionOf(field), defaultOf(field)]

const labelOf = ({ label, required }: Field) =>
  required === true ? `${label}\\*` : required ? `${label} (unless another is given)` : label

const descriptionOf = ({ description, required }: Field) => (required === true ? '**Required.** ' : '') + description

function defaultOf({ default: value, choices }: Field): string {
  if (value === null) return ''
  const choice = choices?.find((candidate) => candidate.value === value)
  return choice ? choice.label : valueText(value)
}

/** `{"@path": "$.traits.email"}` as `traits.email`; a choice between places as the first, else the next. */
const valueText = (value: unknown): string => [...new Set(placesOf(value))].join(', else ')

function placesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [code(value)]
  if ('@path' in value) return [code(String(value['@path']).replace(/^\$\./, ''))]
  if ('@if' in value) {
    const { then, else: otherwise } = value['@if'] as { then?: unknown; else?: unknown }
    return [then, otherwise].filter((branch) => branch !== undefined).flatMap(placesOf)
  }
  if ('@merge' in value) return (value['@merge'] as { objects: unknown[] }).objects.flatMap(placesOf)
  return [code(JSON.stringify(value))]
}

const code = (value: unknown) => `\`${String(value)}\``

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
    .join('\n')
