import { useEffect } from 'preact/hooks'
import { manifest, start, trouble } from '../state/definition'
import { isLost } from '../state/server'
import { EmailSendX } from './EmailSendX'
import { Header } from './Header'
import { Help } from './Help'
import { Inputs } from './Inputs'
import { onKey } from './keys'
import { PreviewPane } from './PreviewPane'
import { ResultsPane } from './ResultsPane'

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
      {/* Lies over the page, so that nothing moves when it comes and goes. */}
      <div role="alert">
        {isLost.value && (
          <p class="lost">The local server does not answer. What you typed is kept; trying again every second …</p>
        )}
      </div>
      <Help />
      <main class="columns">
        {isReady ? (
          <>
            <Inputs />
            <section class="column happens" aria-labelledby="happens-title">
              <h2 id="happens-title">What happens</h2>
              <PreviewPane />
              <ResultsPane />
            </section>
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
