import { signal } from '@preact/signals'
import { messageOf } from '../model/words'
import { manifest, start } from '../state/definition'
import type { Field } from '../state/definition'
import { effective, initialSettings, setSetting, settings } from '../state/inputs'
import { apiUrl, goesToSandbox } from '../state/sandbox'
import { ask } from '../state/server'
import { ListPicker } from './ListPicker'
import { TextButton } from './pieces'

export function SettingsInput() {
  const fields = Object.entries(manifest.value?.authentication?.fields ?? {})
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      {fields.map(([name, field]) => (
        <Setting key={name} name={name} field={field} />
      ))}
      <TestAuthentication />
    </form>
  )
}

function Setting({ name, field }: { name: string; field: Field }) {
  const value = settings.value[name] ?? ''
  const initial = initialSettings.value[name] ?? ''
  const change = (text: string) => setSetting(name, text)
  const isSecret = field.type === 'password'
  const id = `setting-${name}`
  const attributes = {
    id,
    value,
    autocomplete: 'off',
    spellcheck: false,
    placeholder: typeof field.default === 'string' ? field.default : '',
    'aria-describedby': `${id}-hint`,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.value)
  }
  const hint = isSecret ? `${field.description ?? ''} It is forgotten when you close this tab.` : field.description
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>
          {field.label} {field.required === true && <span class="required">required</span>}
        </label>
        {value !== initial && (
          <TextButton act={() => change(initial)}>
            Reset<span class="unseen"> {field.label}</span>
          </TextButton>
        )}
      </div>
      {name === 'defaultListId' ? (
        <ListPicker id={id} value={value} change={change} describedBy={`${id}-hint`} />
      ) : isSecret ? (
        <input type="password" {...attributes} />
      ) : (
        <input type="text" {...attributes} />
      )}
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      {name === 'apiUrl' && !goesToSandbox.value && start.value?.sandbox && (
        <p class="hint">
          Events go to {apiUrl.value}.{' '}
          <TextButton act={() => change(start.value?.sandbox ?? '')}>Use the sandbox</TextButton>
        </p>
      )}
    </div>
  )
}

const tested = signal<{ ok?: boolean; words: string }>({ words: '' })

async function testAuthentication(): Promise<void> {
  tested.value = { words: 'Asking …' }
  try {
    const { ok, error = '' } = await ask<{ ok: boolean; error?: string }>('/authenticate', {
      method: 'POST',
      body: effective.value.settings
    })
    tested.value = { ok, words: ok ? 'The key works, and so does the list.' : error.replace(/\s+/g, ' ') }
  } catch (error) {
    tested.value = { ok: false, words: messageOf(error) }
  }
}

function TestAuthentication() {
  const { ok, words } = tested.value
  return (
    <div class="test">
      <button type="button" onClick={() => void testAuthentication()}>
        Test authentication
      </button>
      <p role="status" class={ok === undefined ? 'quiet' : ok ? 'good' : 'bad'}>
        {words}
      </p>
    </div>
  )
}
