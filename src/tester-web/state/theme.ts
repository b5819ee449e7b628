import { effect } from '@preact/signals'
import { persisted } from './storage'

export type Theme = 'system' | 'light' | 'dark'

export const theme = persisted<Theme>('theme', 'system')

/** Keeps the document in the chosen colours; `system` leaves it to the browser. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value
  })
}
