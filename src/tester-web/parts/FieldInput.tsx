import { useState } from 'preact/hooks'
import { fromText, toText } from '../model/mapping-text'
import type { Field } from '../state/definition'
import { messageOf } from '../model/words'
import { brokenFields, noteBroken } from '../state/inputs'
import { ListPicker } from './ListPicker'
import { Options, TextButton } from './pieces'

interface FieldInputProps {
  id: string
  field: Field
  value: unknown
  change: (value: unknown) => void
}

/** A field of a mapping: label, value, description, and the way back to the default. */
export function FieldInput({ id, field, value, change }: FieldInputProps) {
  const isChanged = toText(value) !== toText(field.default) || id in brokenFields.value
  const toDefault = () => {
    noteBroken(id)
    change(field.default)
  }
  return (
    <div class={isChanged ? 'field changed' : 'field'}>
      <div class="field-head">
        <label for={id}>
          {field.label} {field.required === true && <span class="required">required</span>}
        </label>
        {isChanged && <TextButton act={toDefault}>Back to {toText(field.default) || 'empty'}</TextButton>}
      </div>
      <Control id={id} field={field} value={value} change={change} />
      <p class="hint" id={`${id}-hint`}>
        {field.description}
      </p>
    </div>
  )
}

function Control({ id, field, value, change }: FieldInputProps) {
  const hint = `${id}-hint`
  if (field.type === 'boolean') {
    return (
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        aria-describedby={hint}
        onChange={(event) => change(event.currentTarget.checked)}
      />
    )
  }
  if (field.choices) {
    return (
      <select
        id={id}
        value={toText(value)}
        aria-describedby={hint}
        onChange={(event) => change(event.currentTarget.value)}
      >
        <Options
          choices={field.choices.map((choice) =>
            typeof choice === 'string' ? [choice, choice] : [choice.value, choice.label]
          )}
        />
      </select>
    )
  }
  if (field.type === 'number' || field.type === 'integer') {
    return (
      <input
        id={id}
        type="number"
        min={field.minimum}
        max={field.maximum}
        value={toText(value)}
        aria-describedby={hint}
        onInput={({ currentTarget: { value } }) => change(value === '' ? null : Number(value))}
      />
    )
  }
  if (field.dynamic) {
    return <ListPicker id={id} value={toText(value)} describedBy={hint} change={(text) => change(text || null)} />
  }
  return <Line id={id} value={value} change={change} />
}

/** A path, a text or JSON. What cannot be read stays as it is typed, also while another tab is shown, and is not mapped. */
function Line({ id, value, change }: Omit<FieldInputProps, 'field'>) {
  const broken = brokenFields.value[id]
  const [typed, setTyped] = useState(toText(value))
  // As long as it means the same, what was typed stays, with its spaces.
  const text = broken?.text ?? (means(typed, value) ? typed : toText(value))
  const type = (text: string) => {
    setTyped(text)
    try {
      const read = fromText(text)
      noteBroken(id)
      change(read)
    } catch (error) {
      noteBroken(id, { text, mistake: messageOf(error) })
    }
  }
  return (
    <>
      <textarea
        id={id}
        class="code"
        rows={text.length > 60 ? 2 : 1}
        spellcheck={false}
        value={text}
        placeholder="not mapped"
        aria-describedby={`${id}-hint`}
        aria-invalid={broken !== undefined}
        onInput={(event) => type(event.currentTarget.value)}
      />
      {broken && (
        <p role="status" class="hint bad">
          {broken.mistake}
        </p>
      )}
    </>
  )
}

function means(text: string, value: unknown): boolean {
  try {
    return toText(fromText(text)) === toText(value)
  } catch {
    return false
  }
}
