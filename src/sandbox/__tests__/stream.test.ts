import fastify from 'fastify'
import { SANDBOX_KEY } from '..'
import { EventStream } from '../inspect/stream'
import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

/** Reads server-sent events until `count` have come. */
async function listen(url: string) {
  const response = await fetch(`${url}/_sandbox/stream`)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    headers: response.headers,
    end: () => reader.cancel(),
    async next(count: number) {
      const events: { type: string }[] = []
      while (events.length < count) {
        const end = text.indexOf('\n\n')
        if (end < 0) {
          const { value, done } = await reader.read()
          if (done) throw new Error('the stream ended')
          text += value
          continue
        }
        const [, type, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
        text = text.slice(end + 2)
        if (!data) continue
        const event = JSON.parse(data)
        expect(event.type).toBe(type)
        events.push(event)
      }
      return events
    }
  }
}

it('emits what happens, in order', async () => {
  const { url, api, contact, control } = await start({ now: () => 1_000_000_000 })
  const stream = await listen(url)
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const id = await contact('a@x.io', { listId: 'clx_list_newsletter_id' })
  await contact('a@x.io', { listId: 'clx_list_newsletter_id' })
  await api(`/contacts/${id}/events`, { body: { name: 'purchase_completed' } })
  await api('/lists?id=nope')
  await api('/nope')
  await control('/reset', { method: 'POST' })
  const request = { type: 'request', at: 1_000_000_000, key: `${SANDBOX_KEY.slice(0, 13)}…` }
  expect(await stream.next(10)).toEqual([
    { type: 'contact', at: 1_000_000_000, change: 'created', id, email: 'a@x.io' },
    { type: 'membership', at: 1_000_000_000, listId: 'clx_list_newsletter_id', contactId: id, email: 'a@x.io' },
    { ...request, route: 'POST /api/v1/contacts', path: '/api/v1/contacts', status: 201 },
    { type: 'contact', at: 1_000_000_000, change: 'updated', id, email: 'a@x.io' },
    { ...request, route: 'POST /api/v1/contacts', path: '/api/v1/contacts', status: 200 },
    expect.objectContaining({ type: 'event', contactId: id, matchingAutomations: 1 }),
    expect.objectContaining({ type: 'automation-run', automationId: 'clx_auto_purchase_flow_id', email: 'a@x.io' }),
    expect.objectContaining({ type: 'request', route: 'POST /api/v1/contacts/:id/events', status: 200 }),
    { ...request, route: 'GET /api/v1/lists', path: '/api/v1/lists?id=nope', status: 404 },
    expect.objectContaining({ type: 'request', route: 'unknown path', path: '/api/v1/nope', status: 404 })
  ])
  expect(await stream.next(1)).toEqual([{ type: 'reset', at: 1_000_000_000 }])
  await stream.end()
})

it('keeps up with the largest bulk calls', async () => {
  const { url, api } = await start()
  const stream = await listen(url)
  const contacts = Array.from({ length: 1000 }, (_, index) => ({ email: `${index}@${'long.'.repeat(20)}io` }))
  for (let round = 0; round < 3; round += 1) {
    await api('/contacts/bulk', { body: { contacts, listId: 'clx_list_newsletter_id' } })
  }
  const events = await stream.next(4003)
  expect(events.filter(({ type }) => type === 'contact')).toHaveLength(3000)
  expect(events.filter(({ type }) => type === 'membership')).toHaveLength(1000)
  await stream.end()
})

describe('the stream by itself', () => {
  const app = fastify({ forceCloseConnections: true })
  const stream = new EventStream(Date.now, 20)
  let url: string
  beforeAll(async () => {
    app.get('/stream', (_request, reply) => stream.open(reply))
    url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/stream`
  })
  afterAll(async () => {
    stream.close()
    await app.close()
  })

  it('sends a heartbeat while nothing happens', async () => {
    const reader = (await fetch(url)).body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes(': still here\n\n: still here\n\n')) text += (await reader.read()).value
    await reader.cancel()
  })

  it('cuts off a listener that lets more than 4 MiB wait', async () => {
    const response = await fetch(url)
    const email = `a@${'long.'.repeat(40)}io`
    for (let sent = 0; sent < 20_000; sent += 1) stream.emit({ type: 'contact', change: 'created', id: 'x', email })
    await expect(response.text()).rejects.toThrow()
    expect((await fetch(url)).status).toBe(200)
  })
})

it('has room for 50 listeners', async () => {
  const { url, control } = await start()
  const streams = await Promise.all(Array.from({ length: 50 }, () => listen(url)))
  expect(await control('/stream')).toMatchObject({
    status: 503,
    body: { error: 'Already 50 listeners: close one of them first' }
  })
  await Promise.all(streams.map((stream) => stream.end()))
})
