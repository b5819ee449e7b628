import { send } from '../state/results'
import { isHelpOpen } from './Help'

/** Keys that work from anywhere: Ctrl or ⌘ with Enter also in the editor, the others where nothing is typed. */
export function onKey(event: KeyboardEvent): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) {
    event.preventDefault()
    event.stopPropagation()
    return void send()
  }
  const { target } = event
  const isTyping =
    target instanceof HTMLElement &&
    target.closest('input:not([type=radio], [type=checkbox]), select, textarea, .cm-editor')
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  const act = KEYS[event.key] as (() => void) | undefined
  if (!act) return
  event.preventDefault()
  act()
}

const KEYS: Record<string, () => void> = {
  '?': () => (isHelpOpen.value = !isHelpOpen.value),
  '/': () => document.querySelector<HTMLElement>('#contact-search')?.focus(),
  j: () => moveFocus(1),
  k: () => moveFocus(-1)
}

function moveFocus(by: number): void {
  const results = Array.from(document.querySelectorAll<HTMLElement>('.outcome-head'))
  const at = results.findIndex((one) => one === document.activeElement)
  results[at < 0 ? 0 : Math.min(results.length - 1, Math.max(0, at + by))]?.focus()
}
