import path from 'node:path'
import type { DestinationDefinition } from '@segment/actions-core'
import { buildSync } from 'esbuild'
import type { Answer, Sent } from './network'

export interface Action {
  key: string
  /** Rows in a batch as the definition has them by default; absent: it does not batch. */
  rows?: number
  /** What a customer has to map besides the defaults. */
  mapping?: object
}

export interface Contestant {
  name: string
  definition: DestinationDefinition<unknown>
  settings: object
  identify: Action
  /** Absent: it has no such action. */
  track?: Action
  /** The same people in every round, so that it knows them. */
  isKnown?: true
  /** What its API answers when all is well. */
  answer: (sent: Sent) => Answer
}

const DEFAULT_ROWS = 1000
const created = (): Answer => ({ status: 202, body: { data: { id: 'created' }, success: true } })

/** Our folder as it is, compiled as Segment compiles it, with the same core as the others. */
function ours(bench: string, requireFromBench: NodeRequire): DestinationDefinition<unknown> {
  const outfile = path.join(bench, 'node_modules/.cache/emailsendx.js')
  buildSync({
    entryPoints: [path.join(bench, '../definitions/emailsendx/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'es2020',
    external: ['@segment/actions-core', 'lru-cache']
  })
  return (requireFromBench(outfile) as { default: DestinationDefinition<unknown> }).default
}

/** EmailSendX finds every address it is asked for, each with an id of its own. */
function emailsendx({ url }: Sent): Answer {
  const email = url.searchParams.get('search')
  if (email !== null) return { status: 200, body: { data: [{ id: `id-${email}`, email }] } }
  if (url.pathname.endsWith('/bulk')) return { status: 200, body: { data: { summary: { failed: 0 }, errors: [] } } }
  return { status: 200, body: { data: { contactId: 'id', matchingAutomations: 1 } } }
}

/** @param bench folder of the benchmark, which has the published destinations */
export function contestants(bench: string, requireFromBench: NodeRequire): Contestant[] {
  const published = (name: string) =>
    (
      requireFromBench(`@segment/action-destinations/dist/destinations/${name}`) as {
        default: DestinationDefinition<unknown>
      }
    ).default
  const emailSendX: Contestant = {
    name: 'EmailSendX',
    definition: ours(bench, requireFromBench),
    settings: { apiKey: 'esx_test_0123456789abcdef0123456789abcdef' },
    identify: { key: 'identifyContact', rows: 500 },
    track: { key: 'trackEvent' },
    answer: emailsendx
  }
  return [
    emailSendX,
    { ...emailSendX, name: 'EmailSendX again', isKnown: true },
    {
      name: 'Loops',
      definition: published('loops'),
      settings: { apiKey: 'key' },
      identify: { key: 'createOrUpdateContact' },
      track: { key: 'sendEvent' },
      answer: created
    },
    {
      name: 'Klaviyo',
      definition: published('klaviyo'),
      settings: { api_key: 'key' },
      identify: { key: 'upsertProfile', rows: DEFAULT_ROWS },
      track: {
        key: 'trackEvent',
        rows: DEFAULT_ROWS,
        mapping: { profile: { email: { '@path': '$.context.traits.email' } } }
      },
      answer: created
    },
    {
      name: 'Customer.io',
      definition: published('customerio'),
      settings: { siteId: 'site', apiKey: 'key', accountRegion: 'US' },
      identify: { key: 'createUpdatePerson', rows: 50 },
      track: { key: 'trackEvent', rows: 50 },
      answer: created
    },
    {
      name: 'Iterable',
      definition: published('iterable'),
      settings: { apiKey: 'key', dataCenterLocation: 'united_states' },
      identify: { key: 'updateUser', rows: DEFAULT_ROWS },
      track: { key: 'trackEvent', rows: DEFAULT_ROWS },
      answer: created
    },
    {
      name: 'SendGrid',
      definition: published('sendgrid'),
      settings: { sendGridApiKey: 'SG.key' },
      identify: { key: 'updateUserProfile', rows: DEFAULT_ROWS },
      answer: created
    },
    {
      name: 'Drip',
      definition: published('drip'),
      settings: { accountId: 'account', apiKey: 'key' },
      identify: { key: 'identify', rows: DEFAULT_ROWS },
      track: { key: 'trackEvent' },
      answer: created
    }
  ]
}
