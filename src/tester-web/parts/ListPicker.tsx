import { useRef, useState } from 'preact/hooks'
import { settings } from '../state/inputs'
import { ask } from '../state/server'
import { TextButton } from './pieces'

interface Choice {
  label: string
  value: string
  description?: string
}

interface ListPickerProps {
  id: string
  value: string
  change: (value: string) => void
  describedBy: string
}

/** The action and field whose choices are the workspace's lists. */
const LISTS = '/identifyContact/listId'

/** An id that can be typed, or chosen from the lists the workspace has now. */
export function ListPicker({ id, value, change, describedBy }: ListPickerProps) {
  const [isOpen, setOpen] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)
  const close = () => {
    setOpen(false)
    opener.current?.focus()
  }
  return (
    <div class="picker" onKeyDown={(event) => isOpen && event.key === 'Escape' && close()}>
      <div class="picker-row">
        <input
          id={id}
          type="text"
          spellcheck={false}
          autocomplete="off"
          value={value}
          aria-describedby={describedBy}
          onInput={(event) => change(event.currentTarget.value)}
        />
        <button type="button" ref={opener} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Choose<span class="unseen"> a list</span>
        </button>
      </div>
      {isOpen && (
        <Choices
          current={value}
          choose={(chosen) => {
            change(chosen)
            close()
          }}
        />
      )}
    </div>
  )
}

interface Page {
  choices: Choice[]
  nextPage?: string
  trouble?: string
}

function Choices({ current, choose }: { current: string; choose: (value: string) => void }) {
  const [query, setQuery] = useState('')
  const [shown, setShown] = useState<Page | undefined>(undefined)
  const newest = useRef(0)

  const load = async (words: string, page?: string) => {
    const turn = ++newest.current
    const answer = await ask<Page>(LISTS, {
      method: 'POST',
      body: { settings: settings.value, payload: {}, page, dynamicFieldContext: { query: words } }
    }).catch((error: Error): Page => ({ choices: [], trouble: reasonIn(error) }))
    if (turn !== newest.current) return
    setShown((before) => ({ ...answer, choices: [...(page ? before?.choices ?? [] : []), ...answer.choices] }))
  }

  return (
    <div class="choices">
      <input
        type="search"
        placeholder="Search by name"
        aria-label="Search the lists"
        ref={(input) => {
          if (!input || newest.current > 0) return
          input.focus()
          void load('')
        }}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value)
          void load(event.currentTarget.value)
        }}
      />
      <ul aria-label="Lists" aria-busy={!shown}>
        {shown?.choices.map(({ label, value, description }) => (
          <li key={value}>
            <button type="button" aria-pressed={value === current} onClick={() => choose(value)}>
              {label} <span class="quiet">{description}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown?.nextPage && <TextButton act={() => void load(query, shown.nextPage)}>More</TextButton>}
      <p role="status" class="hint">
        {shown ? shown.trouble ?? (shown.choices.length === 0 ? 'No list has this in its name.' : '') : 'Asking …'}
      </p>
    </div>
  )
}

/** A dynamic field fails with `[{message, code}]`, as on Segment's own server. */
function reasonIn({ message }: Error): string {
  try {
    const [first] = JSON.parse(message) as { message: string }[]
    return first.message
  } catch {
    return message
  }
}
