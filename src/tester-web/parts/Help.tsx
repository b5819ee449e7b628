import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

export const isHelpOpen = signal(false)

const KEYS: [string, string][] = [
  ['Ctrl or ⌘ Enter', 'send'],
  ['/', 'search the contacts'],
  ['j, k', 'next and previous result'],
  ['Enter on a result', 'select its event in the editor'],
  ['?', 'this']
]

const DOCS: [string, string][] = [
  ['tester', 'This page'],
  ['destination', 'What the destination does with events'],
  ['sandbox', 'The sandbox'],
  ['bridge', 'The bridge'],
  ['serve', 'The local server']
]

/** Keys, and the documentation, which is a file of this checkout. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isHelpOpen.value) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isHelpOpen.value])
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (isHelpOpen.value = false)}>
      <h2 id="help-title">Keys</h2>
      <dl class="facts">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <h2>Documentation</h2>
      <ul>
        {DOCS.map(([name, title]) => (
          <li key={name}>
            <a href={`/tester/docs/${name}`} target="_blank" rel="noreferrer">
              {title}
            </a>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => (isHelpOpen.value = false)}>
        Close
      </button>
    </dialog>
  )
}
