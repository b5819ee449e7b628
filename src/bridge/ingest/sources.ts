/** Who sends, and where to. */
export interface Source {
  name: 'segment' | 'rudderstack' | 'sdk'
  path: string
  /** The type of its events, where the path says it. */
  type?: string
}

/**
 * The paths of Segment's HTTP API, in long and in short, which RudderStack's server SDKs share. A write key inside the body
 * is the EmailSendX key here, while a webhook's events carry the write key of their Segment source.
 */
const SDK_TYPES: Record<string, string | undefined> = {
  batch: undefined,
  b: undefined,
  import: undefined,
  identify: 'identify',
  i: 'identify',
  track: 'track',
  t: 'track',
  page: 'page',
  p: 'page',
  screen: 'screen',
  s: 'screen',
  group: 'group',
  g: 'group',
  alias: 'alias',
  a: 'alias'
}

export const SOURCES: Source[] = [
  { name: 'segment', path: '/api/segment/track' },
  { name: 'rudderstack', path: '/api/rudderstack/track' },
  ...Object.entries(SDK_TYPES).map(([call, type]): Source => ({ name: 'sdk', path: `/v1/${call}`, type }))
]
