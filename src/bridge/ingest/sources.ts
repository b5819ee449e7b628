/** Who sends, and where to. */
export interface Source {
  name: 'segment' | 'rudderstack' | 'sdk'
  path: string
  /** The type of its events, where the path says it. */
  type?: string
}

/** The calls of Segment's spec. */
export const TYPES = ['identify', 'track', 'page', 'screen', 'group', 'alias']

export const SOURCES: Source[] = [
  { name: 'segment', path: '/api/segment/track' },
  { name: 'rudderstack', path: '/api/rudderstack/track' },
  // The paths of Segment's HTTP API, in long and by their first letter, which RudderStack's server SDKs share. A write key
  // inside the body is the EmailSendX key here, while a webhook's events carry the write key of their Segment source.
  ...['batch', 'b', 'import'].map((call): Source => ({ name: 'sdk', path: `/v1/${call}` })),
  ...TYPES.flatMap((type) => [type, type[0]].map((call): Source => ({ name: 'sdk', path: `/v1/${call}`, type })))
]
