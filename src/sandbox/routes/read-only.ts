import type { FastifyInstance } from 'fastify'
import { notFound, pageOf, paging, type Query } from '../http'

/** The example of EmailSendX's segments page. */
const SEGMENTS = [
  {
    id: 'clx_seg_high_engage_id',
    name: 'High-Engagement Users',
    description: 'Opened at least 3 campaigns in last 90 days',
    matchType: 'all',
    filters: [
      { field: 'opens_count', operator: 'gte', value: 3 },
      { field: 'last_open_at', operator: 'within_days', value: 90 }
    ],
    cachedCount: 1248,
    lastCountedAt: '2026-01-20T14:00:00Z',
    createdAt: '2026-01-05T11:00:00Z'
  }
]

/** The example of EmailSendX's campaigns page. */
const CAMPAIGNS = [
  {
    id: 'clx_camp_april_nl_id',
    name: 'April Newsletter',
    subject: "What's new this April 🌱",
    status: 'sent',
    scheduledAt: null,
    sentAt: '2026-04-15T10:00:00Z',
    totalRecipients: 5420,
    createdAt: '2026-04-10T09:00:00Z',
    stats: {
      sent: 5420,
      delivered: 5388,
      opened: 2168,
      uniqueOpens: 1945,
      clicked: 542,
      uniqueClicks: 487,
      bounced: 32,
      complained: 4,
      unsubscribed: 18
    }
  }
]

/** What is made in the dashboard and only read through the API. */
export function readOnlyRoutes(app: FastifyInstance): void {
  app.get<{ Querystring: Query }>('/segments', { config: { scope: 'segments:read' } }, ({ query }) =>
    query.id === undefined ? pageOf(SEGMENTS, paging(query)) : { data: byId(SEGMENTS, query.id, 'Segment') }
  )

  // The statistics come only with a single campaign (/docs/api/campaigns).
  app.get<{ Querystring: Query }>('/campaigns', { config: { scope: 'campaigns:read' } }, ({ query }) => {
    if (query.id !== undefined) return { data: byId(CAMPAIGNS, query.id, 'Campaign') }
    const withoutStats = CAMPAIGNS.map(({ stats: _, ...campaign }) => campaign)
    return pageOf(withoutStats, paging(query))
  })

  app.get<{ Querystring: Query }>('/forms', { config: { scope: 'lists:read' } }, ({ query }) =>
    pageOf([], paging(query))
  )
}

function byId<T extends { id: string }>(all: T[], id: string, what: string): T {
  const found = all.find((one) => one.id === id)
  if (!found) throw notFound(`${what} not found`)
  return found
}
