import { effect } from '@preact/signals'
import { manifest } from '../state/definition'
import { persisted } from '../state/storage'
import { isHelpOpen } from './Help'
import { Options, TextButton } from './pieces'

type Theme = 'system' | 'light' | 'dark'

const theme = persisted<Theme>('theme', 'system')
// `system` leaves the colours to the browser.
effect(() => {
  document.documentElement.dataset.theme = theme.value
})

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
      <TextButton act={() => (isHelpOpen.value = true)}>
        Help <kbd>?</kbd>
      </TextButton>
      <label class="theme">
        <span class="quiet">Colours</span>
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          <Options choices={THEMES} />
        </select>
      </label>
    </header>
  )
}
