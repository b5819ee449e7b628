import { asBatch, eventText, inputsTab, mappings, setEventText, triggers } from './inputs'

/** What a link holds: all that is sent but the settings, so that there is no key in it. */
interface Shared {
  event: string
  mappings: typeof mappings.value
  triggers: typeof triggers.value
  batch: boolean
}

const MARK = '#share='

/** A link to this page with event and mapping in its fragment, which a browser sends to no server. */
export async function shareLink(): Promise<string> {
  const shared: Shared = {
    event: eventText.value,
    mappings: mappings.value,
    triggers: triggers.value,
    batch: asBatch.value
  }
  const bytes = await through(new CompressionStream('deflate-raw'), new TextEncoder().encode(JSON.stringify(shared)))
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return `${location.origin}/${MARK}${base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`
}

/** Takes over what the page's address holds, and leaves the address without it. */
export async function openSharedLink(): Promise<void> {
  if (!location.hash.startsWith(MARK)) return
  const base64 = location.hash.slice(MARK.length).replaceAll('-', '+').replaceAll('_', '/')
  history.replaceState(null, '', location.pathname)
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const text = new TextDecoder().decode(await through(new DecompressionStream('deflate-raw'), bytes))
    const shared = JSON.parse(text) as Shared
    setEventText(shared.event)
    mappings.value = shared.mappings
    triggers.value = shared.triggers
    asBatch.value = shared.batch
    inputsTab.value = 'event'
  } catch {
    // A link that was cut on its way: the page stays as it is.
  }
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer())
}
