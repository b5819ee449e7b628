import { connect, createServer, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { SANDBOX_KEY, startSandbox } from '..'
import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

describe('bodies', () => {
  it.each([
    ['{', 'Request body is not valid JSON'],
    ['{"email":"a@x.io"} x', 'Request body is not valid JSON'],
    ['', 'body is required'],
    ['7', 'body must be a JSON object'],
    ['[]', 'body must be a JSON object'],
    [
      `{"email":"a@x.io","metadata":${'{"a":'.repeat(250)}1${'}'.repeat(250)}}`,
      'Request body is nested more than 200 levels deep'
    ],
    ['['.repeat(500_000), 'Request body is not valid JSON'],
    [`${'['.repeat(500_000)}${']'.repeat(500_000)}`, 'Request body is nested more than 200 levels deep']
  ])('refuses bad body %#', async (body, error) => {
    const { api } = await start()
    expect(await api('/contacts', { body })).toMatchObject({ status: 400, body: { error } })
  })

  it('keeps what is 50 levels deep, and a text of nearly 1 MB', async () => {
    const { api } = await start()
    const deep = JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`)
    const metadata = { deep, long: 'x'.repeat(1_000_000) }
    expect((await api('/contacts', { body: { email: 'a@x.io', metadata } })).status).toBe(201)
    expect((await api('/contacts')).body.data[0].metadata).toEqual(metadata)
  })

  it('may have 1 MiB', async () => {
    const { api } = await start()
    const sized = (bytes: number) => {
      const empty = JSON.stringify({ email: 'a@x.io', metadata: { x: '' } })
      return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
    }
    expect((await api('/contacts', { body: sized(1_048_576) })).status).toBe(201)
    const large = await api('/contacts', { body: sized(1_048_577) })
    expect(large).toMatchObject({ status: 413, body: { error: 'Request body is larger than 1048576 bytes' } })
    expect(large.headers.get('x-ratelimit-remaining')).toBe('118')
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/vnd.api+json', 'nonsense', ';;'])(
    'are refused as %s',
    async (type) => {
      const { api } = await start()
      const answer = await api('/contacts', { body: '{"email":"a@x.io"}', headers: { 'Content-Type': type } })
      expect(answer).toMatchObject({ status: 400, body: { error: 'Content-Type must be application/json' } })
    }
  )

  it('may say their charset, and must be UTF-8', async () => {
    const { url } = await start()
    const send = async (type: string | null, body: Uint8Array) => {
      const headers = { 'x-api-key': SANDBOX_KEY, ...(type && { 'Content-Type': type }) }
      const response = await fetch(`${url}/api/v1/contacts`, { method: 'POST', headers, body })
      return [response.status, ((await response.json()) as { error?: string }).error]
    }
    const bytes = Buffer.from('{"email":"a@x.io"}')
    expect(await send('application/json; charset=utf-8', bytes)).toEqual([201, undefined])
    expect(await send(null, bytes)).toEqual([400, 'Content-Type must be application/json'])
    expect(await send('application/json', Buffer.from('{"email":"\xff"}', 'latin1'))).toEqual([
      400,
      'Request body is not valid JSON'
    ])
    expect(await send('application/json', gzipSync(bytes))).toEqual([400, 'Request body is not valid JSON'])
  })

  it('are not asked for where a GET announces JSON, as the vendor client does', async () => {
    const { api } = await start()
    expect((await api('/lists', { headers: { 'Content-Type': 'application/json' } })).status).toBe(200)
  })
})

describe('what is no route', () => {
  it.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v1/',
    '/api/v1/nope',
    '/api/v2/contacts',
    '/api/v1/contacts/a',
    '/api/v1/contacts/a/b',
    '/api/v1/automations',
    '/api/v1/LISTS',
    '/api/segment'
  ])('answers %s with a page, whatever is sent', async (path) => {
    const { call } = await start()
    for (const method of ['GET', 'POST', 'DELETE']) {
      const body = method === 'POST' ? '{' : undefined
      const answer = await call(path, { method, key: null, body, headers: { 'Content-Type': 'text/odd' } })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(answer.body).toContain('<!DOCTYPE html>')
    }
  })

  it.each([
    ['/lists', 'PUT', 'GET, HEAD, POST'],
    ['/contacts', 'DELETE', 'GET, HEAD, POST'],
    ['/contacts', 'PATCH', 'GET, HEAD, POST'],
    ['/contacts/bulk', 'OPTIONS', 'POST'],
    ['/contacts/x/events', 'GET', 'POST'],
    ['/whoami', 'POST', 'GET, HEAD']
  ])('answers %s %s with a page and Allow', async (path, method, allowed) => {
    const { api } = await start()
    const answer = await api(path, { method, key: null, body: method === 'GET' ? undefined : '{' })
    expect(answer).toMatchObject({ status: 405, body: expect.stringContaining('<!DOCTYPE html>') })
    expect(answer.headers.get('allow')).toBe(allowed)
  })

  it('survives a path that cannot be decoded and requests that are no HTTP', async () => {
    const { port, call, api } = await start()
    expect(await call('/api/v1/contacts/%zz')).toMatchObject({ status: 400, body: { error: expect.any(String) } })
    const raw = async (text: string) => {
      const socket = connect(port, '127.0.0.1')
      socket.end(text)
      let answer = ''
      for await (const chunk of socket) answer += chunk
      return answer.split('\r\n')[0]
    }
    expect(await raw('hello\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request')
    expect(await raw('GET /api/v1/lists HTTP/1.1\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request')
    expect(await raw(`GET /api/v1/lists HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toContain(
      ' 431 '
    )
    expect((await api('/lists')).status).toBe(200)
  })
})

describe('start and end', () => {
  it('names the port that is in use, and what to do', async () => {
    const { port } = await start()
    await expect(startSandbox({ port })).rejects.toThrow(
      `port ${port} is in use: stop what uses it, or choose another with SANDBOX_PORT (--port of bin/run sandbox`
    )
  })

  it('names an address that is not of this machine', async () => {
    await expect(startSandbox({ port: 0, host: '192.0.2.1' })).rejects.toThrow(
      '192.0.2.1 is no address of this machine'
    )
  })

  it('ends at once, whatever is still open, and frees its port', async () => {
    const sandbox = await startSandbox({ port: 0 })
    const { url, port } = sandbox
    const stream = await fetch(`${url}/_sandbox/stream`)
    const headers = { 'x-api-key': SANDBOX_KEY, 'Content-Type': 'application/json' }
    await fetch(`${url}/_sandbox/faults`, { method: 'POST', headers, body: '{"kind":"delay","delayMs":600000}' })
    const delayed = fetch(`${url}/api/v1/lists`, { headers }).catch(() => 'cut')
    const waiting = async (): Promise<void> => {
      const { faults } = (await (await fetch(`${url}/_sandbox/faults`)).json()) as { faults: unknown[] }
      if (faults.length) await waiting()
    }
    await waiting()
    const halfSent = connect(port, '127.0.0.1', () =>
      halfSent.write('POST /api/v1/lists HTTP/1.1\r\nHost: localhost\r\n')
    )
    halfSent.on('error', () => undefined)
    const before = Date.now()
    await sandbox.close()
    expect(Date.now() - before).toBeLessThan(2000)
    expect(await delayed).toBe('cut')
    await expect(stream.text()).rejects.toThrow()
    await new Promise<void>((resolve) => {
      const next = createServer().listen(port, '127.0.0.1', () => next.close(() => resolve()))
    })
    await sandbox.close()
  })

  it('picks a free port for 0', async () => {
    const [one, two] = [await start(), await start()]
    expect(one.port).not.toBe(two.port)
    expect(one.url).toBe(`http://127.0.0.1:${one.port}`)
  })

  it('listens on IPv6 where there is one', async () => {
    const probe = createServer()
    const has6 = await new Promise<boolean>((resolve) => {
      probe.on('error', () => resolve(false)).listen(0, '::1', () => resolve((probe.address() as AddressInfo).port > 0))
    })
    probe.close()
    if (!has6) return
    const { url, api } = await start({ host: '::1' })
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await api('/lists')).status).toBe(200)
  })
})
