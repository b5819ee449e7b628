import { useState } from 'preact/hooks'

/** Copies a text, and says whether it could. */
export function Copy({ text, label }: { text: () => string | Promise<string>; label: string }) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await text())
      setSaid('Copied')
    } catch {
      setSaid('The browser does not allow it')
    }
  }
  return (
    <span class="copy">
      <button type="button" class="link" onClick={() => void copy()} onBlur={() => setSaid('')}>
        {label}
      </button>
      <span role="status">{said}</span>
    </span>
  )
}
