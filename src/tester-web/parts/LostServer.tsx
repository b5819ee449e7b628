import { isLost } from '../state/server'

/** Lies over the page, so that nothing moves when it comes and goes. */
export function LostServer() {
  return (
    <div role="alert">
      {isLost.value && (
        <p class="lost">The local server does not answer. What you typed is kept; trying again every second …</p>
      )}
    </div>
  )
}
