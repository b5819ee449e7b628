import { useEffect } from 'preact/hooks'
import { manifest, start, trouble } from '../state/definition'
import { send } from '../state/results'
import { EmailSendX } from './EmailSendX'
import { Header } from './Header'
import { Inputs } from './Inputs'
import { LostServer } from './LostServer'
import { WhatHappens } from './WhatHappens'

/** The event, what happens to it, and what EmailSendX then looks like, from left to right. */
export function App() {
  useEffect(() => {
    addEventListener('keydown', sendOnKeys, true)
    return () => removeEventListener('keydown', sendOnKeys, true)
  }, [])
  const isReady = start.value && manifest.value
  return (
    <>
      <Header />
      <LostServer />
      <main class="columns">
        {isReady ? (
          <>
            <Inputs />
            <WhatHappens />
            <EmailSendX />
          </>
        ) : (
          <p class="opening" role="status">
            {trouble.value || 'One moment …'}
          </p>
        )}
      </main>
    </>
  )
}

/** Ctrl or ⌘ with Enter sends from anywhere, the editor included. */
function sendOnKeys(event: KeyboardEvent): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.repeat) return
  event.preventDefault()
  event.stopPropagation()
  void send()
}
