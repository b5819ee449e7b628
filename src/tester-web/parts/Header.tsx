import { manifest } from '../state/definition'
import { theme } from '../state/theme'
import type { Theme } from '../state/theme'
import { isHelpOpen } from './Help'

const THEMES: [Theme, string][] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark']
]

export function Header() {
  return (
    <header class="header">
      <img src="/tester/icon.svg" alt="" width="26" height="26" />
      <h1>
        {manifest.value?.name ?? 'EmailSendX'} <span class="quiet">for Segment</span>
      </h1>
      <p class="quiet header-line">See an event become a contact</p>
      <button type="button" class="link" onClick={() => (isHelpOpen.value = true)}>
        Help <kbd>?</kbd>
      </button>
      <label class="theme">
        <span class="quiet">Colours</span>
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          {THEMES.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </header>
  )
}
