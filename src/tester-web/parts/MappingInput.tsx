import { signal } from '@preact/signals'
import { titled } from '../model/words'
import { actions, start } from '../state/definition'
import type { Field } from '../state/definition'
import { changesOf, mappings, resetMapping, setField, setTrigger, triggers } from '../state/inputs'
import { preview } from '../state/preview'
import { saved } from '../state/saved'
import { persisted } from '../state/storage'
import { FieldInput } from './FieldInput'
import { SaveAs } from './SaveAs'
import { Options, Radios, TextButton } from './pieces'

const chosen = persisted<string | null>('mapping-of', null)
const trouble = signal('')

export function MappingInput() {
  const [slug, action] = actions.value.find(([slug]) => slug === chosen.value) ?? actions.value[0]
  const mapping = mappings.value[slug] ?? {}
  const valueOf = (name: string): unknown => (name in mapping ? mapping[name] : action.fields[name].default)
  const isShown = ({ unsafe_hidden, depends_on }: Field) =>
    !unsafe_hidden &&
    (depends_on?.conditions ?? []).every(
      ({ fieldKey, operator, value }) => (valueOf(fieldKey) === value) === (operator === 'is')
    )
  const changes = changesOf(slug)
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="switch">
        <legend class="unseen">Action</legend>
        <Radios
          name="action"
          choices={actions.value.map(([name, { title }]) => [name, titleWithChanges(name, title)])}
          chosen={slug}
          choose={(name) => (chosen.value = name)}
        />
      </fieldset>
      <div class="row spread">
        <LayOver slug={slug} fields={action.fields} />
        <TextButton disabled={changes === 0} act={() => resetMapping(slug)}>
          Reset all
        </TextButton>
      </div>
      <SaveAs folder="mappings" text={() => JSON.stringify(mapping, null, 2)} />
      <p class="hint">
        A field takes a path of the event (<code>$.traits.email</code>), the first of several that is there (
        <code>$.a ?? $.b</code>) or that is not empty (<code>$.a || $.b</code>), an object (<code>{'{...$.a}'}</code>),
        a text as it stands, or any of Segment's directives as JSON.
      </p>
      <Trigger slug={slug} standard={action.defaultSubscription ?? ''} />
      {Object.entries(action.fields)
        .filter(([, field]) => isShown(field))
        .map(([name, field]) => (
          <FieldInput
            key={`${slug}.${name}`}
            id={`${slug}-${name}`}
            field={field}
            value={valueOf(name)}
            change={(value) => setField(slug, name, value)}
          />
        ))}
    </form>
  )
}

const titleWithChanges = (slug: string, title: string) =>
  changesOf(slug) > 0 ? `${title} (${changesOf(slug)})` : title

function Trigger({ slug, standard }: { slug: string; standard: string }) {
  const value = triggers.value[slug] ?? standard
  const id = `${slug}-trigger`
  const understood = preview.value.data?.triggers[slug]
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>Trigger</label>
        {value !== standard && <TextButton act={() => setTrigger(slug, standard)}>Back to {standard}</TextButton>}
      </div>
      <input
        id={id}
        type="text"
        class="code"
        spellcheck={false}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => setTrigger(slug, event.currentTarget.value)}
      />
      <p class={understood?.ok === false ? 'hint bad' : 'hint'} id={`${id}-hint`} role="status">
        {understood ? `This ${understood.words}.` : "Which events the action takes, in Segment's filter language."}
      </p>
    </div>
  )
}

/** The mappings of `.segment/mappings`, and the person's own. */
const kept = () => [...(start.value?.mappings ?? []), ...saved.value.mappings]

function LayOver({ slug, fields }: { slug: string; fields: Record<string, Field> }) {
  const lay = (name: string) => {
    trouble.value = ''
    try {
      const text = kept().find((mapping) => mapping.name === name)?.text ?? '{}'
      const known = Object.entries(JSON.parse(text) as object).filter(([field]) => field in fields)
      if (known.length === 0) trouble.value = `${titled(name)} is for another action.`
      for (const [field, value] of known) setField(slug, field, value)
    } catch {
      trouble.value = `.segment/mappings/${name}.json is not a JSON object.`
    }
  }
  return (
    <label class="row">
      <span class="unseen">Lay a kept mapping over this one</span>
      <select
        value=""
        onChange={(event) => {
          lay(event.currentTarget.value)
          event.currentTarget.value = ''
        }}
      >
        <option value="">Lay over …</option>
        <Options choices={kept().map(({ name }) => [name, titled(name)])} />
      </select>
      <span role="status" class="bad">
        {trouble.value}
      </span>
    </label>
  )
}
