import { useState } from 'preact/hooks'
import { messageOf } from '../model/words'
import { drop, exportFile, keep, saved } from '../state/saved'
import type { Folder } from '../state/saved'
import { TextButton } from './pieces'

/** Gives what is here a name: in this browser, or as a file of `.segment` for everybody with the checkout. */
export function SaveAs({ folder, text }: { folder: Folder; text: () => string }) {
  const [isOpen, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [said, setSaid] = useState<{ words: string; bad?: boolean }>({ words: '' })
  const isNamed = /^[\w-]{1,60}$/.test(name)
  const write = async () => {
    try {
      setSaid({ words: `Written to ${await exportFile(folder, name, text())}` })
    } catch (error) {
      setSaid({ words: messageOf(error), bad: true })
    }
  }
  return (
    <details class="save-as" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Save as …</summary>
      <div class="row">
        <input
          type="text"
          aria-label="Name"
          placeholder="name-of-it"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
        <button
          type="button"
          disabled={!isNamed}
          onClick={() => {
            keep(folder, name, text())
            setSaid({ words: `Saved in this browser as ${name}` })
          }}
        >
          Save
        </button>
        <button type="button" disabled={!isNamed} onClick={() => void write()}>
          To .segment
        </button>
      </div>
      <p role="status" class={said.bad ? 'hint bad' : 'hint'}>
        {said.words || (name !== '' && !isNamed && 'A name has letters, digits, - and _.')}
      </p>
      {saved.value[folder].length > 0 && (
        <p class="hint">
          Saved:{' '}
          {saved.value[folder].map((one) => (
            <span class="chip" key={one.name}>
              {one.name}{' '}
              <TextButton act={() => drop(folder, one.name)}>
                forget<span class="unseen"> {one.name}</span>
              </TextButton>
            </span>
          ))}
        </p>
      )}
    </details>
  )
}
