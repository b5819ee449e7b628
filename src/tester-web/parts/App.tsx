import { useEffect } from 'preact/hooks'
import { manifest, start, trouble } from '../state/definition'
import { EmailSendX } from './EmailSendX'
import { Header } from './Header'
import { Help } from './Help'
import { Inputs } from './Inputs'
import { onKey } from './keys'
import { LostServer } from './LostServer'
import { WhatHappens } from './WhatHappens'

/** The event, what happens to it, and what EmailSendX then looks like, from left to right. */
export function App() {
  useEffect(() => {
    addEventListener('keydown', onKey, true)
    return () => removeEventListener('keydown', onKey, true)
  }, [])
  const isReady = start.value && manifest.value
  return (
    <>
      <Header />
      <LostServer />
      <Help />
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
