import http from 'node:http'
import net from 'node:net'
import { gzipSync } from 'node:zlib'
import demo from './__helpers__/demo'
import { startServed } from './__helpers__/served'

let served: Awaited<ReturnType<typeof startServed>>
const lines: string[] = []
beforeAll(async () => {
  served = await startServed({ log: (line) => lines.push(line) })
})
afterAll(() => served.close())

describe('a body', () => {
  it.each(['{"payload":', 'nonsense', '"text"', '1', 'null', '[]', ' ', '{"a":1}}', '\u0000'])(
    'that is no JSON object is 400: %j',
    async (body) => {
      const { status, headers, text } = await served.post('/echo', body)
      expect(status).toBe(400)
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(text).toMatch(/<pre>The body (is not JSON: .+|must be a JSON object\.)<\/pre>/)
      expect(text).not.toContain('    at ')
    }
  )

  it('that is empty, or not declared as JSON, counts as {}', async () => {
    const message = "The root value is missing the required field 'email'."
    for (const reply of [
      await served.post('/save', ''),
      await served.post('/save', '{"payload":{"traits":{"email":"a@b.co"}}}', { 'content-type': 'text/plain' }),
      await served.send('/save', { method: 'POST' }),
      await served.send('/save', { method: 'POST', body: new Blob(['{}']) })
    ]) {
      expect([reply.status, reply.json[0].message]).toEqual([200, message])
    }
  })

  it('may have a charset and a byte order mark', async () => {
    const reply = await served.post('/refuse', '\uFEFF{}', { 'content-type': 'application/json; charset=utf-8' })
    expect(reply.json[0].message).toBe('Not today.')
  })

  it('may be in UTF-16, and in no charset that is not Unicode', async () => {
    const utf16 = await served.send('/refuse', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-16le' },
      body: Buffer.from('\uFEFF{}', 'utf16le')
    })
    expect(utf16.json[0].message).toBe('Not today.')
    for (const charset of ['iso-8859-1', 'utf-nonsense']) {
      const reply = await served.post('/refuse', '{}', { 'content-type': `application/json; charset=${charset}` })
      expect([reply.status, reply.text]).toEqual([415, expect.stringContaining('unsupported charset')])
    }
  })

  it.each(['', 'nonsense', 'application/', '/json', 'a b/c'])('counts as {} with the content type %j', async (type) => {
    const message = "The root value is missing the required field 'email'."
    const reply = await raw(
      `POST /save HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"a": [1}`
    )
    expect(reply).toMatch(/^HTTP\/1\.1 200 /)
    expect(reply).toContain(message)
  })

  it('of up to 100 kB is read, a larger one is 413', async () => {
    const bodyOf = (bytes: number) => JSON.stringify({ x: 'x'.repeat(bytes - 8) })
    expect((await served.post('/refuse', bodyOf(102_400))).status).toBe(200)
    const { status, text } = await served.post('/refuse', bodyOf(102_401))
    expect([status, text]).toEqual([413, expect.stringContaining('larger than 102400 bytes')])
  })

  it('may be larger where the limit is', async () => {
    const other = await startServed({ bodyLimit: 300_000 })
    expect((await other.post('/refuse', { x: 'x'.repeat(250_000) })).status).toBe(200)
    expect((await other.post('/refuse', { x: 'x'.repeat(350_000) })).status).toBe(413)
    await other.close()
  })

  it('that is compressed is 415', async () => {
    const { status, text } = await served.send('/refuse', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{}')
    })
    expect([status, text]).toEqual([415, expect.stringContaining('uncompressed')])
  })

  it('may be nested as deeply as fits', async () => {
    const depth = 20_000
    const deep = `{"payload":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`
    const { status, json } = await served.post('/echo', deep)
    expect([status, json[0].requestError]).toEqual([200, true])
    expect((await served.post('/refuse', '{}')).status).toBe(200)
  })
})

describe('what is not a route', () => {
  it.each([
    ['POST', '/nope', 'Cannot POST /nope'],
    ['GET', '/save', 'Cannot GET /save'],
    ['DELETE', '/manifest?a=1', 'Cannot DELETE /manifest'],
    ['POST', '/save/hooks/nope', 'Cannot POST /save/hooks/nope'],
    ['POST', '/save/nope', 'Cannot POST /save/nope'],
    ['POST', '/<script>alert(1)</script>', 'Cannot POST /%3Cscript%3Ealert(1)%3C/script%3E']
  ])('is 404: %s %s', async (method, path, text) => {
    const reply = await served.send(path, { method })
    expect(reply.status).toBe(404)
    expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(reply.text).toContain(`<pre>${text}</pre>`)
  })

  it('is a path that cannot be read, too', async () => {
    const { status, text } = await served.send('/%zz')
    expect([status, text]).toEqual([404, expect.stringContaining('<pre>Cannot GET /%zz</pre>')])
  })

  it('shows the characters of a raw path, never as markup', async () => {
    const reply = await raw(
      `POST /<b>x</b> HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
    )
    expect(reply).toContain('Cannot POST /&lt;b&gt;x&lt;/b&gt;')
  })

  it('does not differ by upper case or a slash at the end, as in Express', async () => {
    expect((await served.send('/Manifest/')).status).toBe(200)
    expect((await served.post('/REFUSE/', {})).status).toBe(200)
  })

  it('leaves the fixed routes to themselves: an action of such a name is shadowed', async () => {
    const other = await startServed({ definition: { ...demo, actions: { authenticate: demo.actions.refuse } } })
    expect((await other.post('/authenticate', {})).json.ok).toBe(false)
    await other.close()
  })
})

describe('pages of other origins', () => {
  it.each([
    'https://app.segment.com',
    'https://eu1.app.segment.com',
    'https://app.segment.build',
    'https://eu1.app.segment.build',
    'http://localhost:8000'
  ])('may read: %s', async (origin) => {
    const reply = await served.post('/refuse', {}, { origin })
    expect(reply.headers.get('access-control-allow-origin')).toBe(origin)
    expect(reply.headers.get('vary')).toBe('Origin')
  })

  it.each(['https://evil.example', 'http://localhost:3000', 'https://app.segment.com.evil.example', 'null'])(
    'are served but may not read: %s',
    async (origin) => {
      const reply = await served.post('/refuse', {}, { origin })
      expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, null])
      expect(reply.headers.get('vary')).toBe('Origin')
    }
  )

  it.each([
    ['https://app.segment.com', 'https://app.segment.com'],
    ['https://evil.example', null]
  ])('ask first, 204: %s', async (origin, allowed) => {
    const { status, headers } = await served.send('/save', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-multistatus'
      }
    })
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(allowed)
    expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,PUT,PATCH,POST,DELETE')
    expect(headers.get('access-control-allow-headers')).toBe('content-type,x-multistatus')
    expect(headers.get('vary')).toContain('Origin')
  })

  it('may read why a body was refused', async () => {
    const reply = await served.post('/refuse', '{', { origin: 'https://app.segment.com' })
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([400, 'https://app.segment.com'])
  })
})

describe('the Host header', () => {
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      http
        .get(`${served.url}/manifest`, { headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        .on('error', reject)
    })

  it.each(['localhost', 'localhost:3000', '127.0.0.1:1', '[::1]:80', 'LOCALHOST:3000'])('may be %s', async (host) => {
    expect(await statusFor(host)).toBe(200)
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:3000',
    '192.168.0.1',
    'evil:3000@localhost'
  ])('may not be %s', async (host) => {
    expect(await statusFor(host)).toBe(403)
  })

  it('is asked for before anything runs', async () => {
    const reply = await raw(`POST /refuse HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}`)
    expect(reply).toMatch(/^HTTP\/1\.1 403 /)
    expect(reply).toContain('use http://localhost or http://127.0.0.1')
  })
})

it('survives what is no HTTP', async () => {
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  expect(
    await raw(
      `POST /save HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"a"`,
      'end'
    )
  ).toBeDefined()
  expect((await served.post('/refuse', {})).status).toBe(200)
})

it('logs method, route, status and time, and nothing that was sent', async () => {
  lines.length = 0
  await served.post('/save?key=secret', {
    payload: { traits: { email: 'ada@example.com' } },
    settings: served.settings
  })
  await served.post('/ada@example.com', {})
  await served.post('/save/tags.ada@example.com', {})
  expect(lines).toEqual([
    expect.stringMatching(/^POST \/save 200 \d+ms$/),
    expect.stringMatching(/^POST \(unknown path\) 404 \d+ms$/),
    expect.stringMatching(/^POST \/save\/tags\.\* 200 \d+ms$/)
  ])
})

describe('the page', () => {
  it('is HTML at /', async () => {
    const { status, text } = await served.send('/')
    expect(status).toBe(200)
    expect(text).toContain('<!doctype html>')
  })

  it('is absent without ui', async () => {
    const other = await startServed({ ui: false })
    expect((await other.send('/')).text).toContain('Cannot GET /')
    await other.close()
  })
})

/** Sends bytes as they are and resolves with the bytes that come back. */
function raw(bytes: string, then?: 'end'): Promise<string> {
  const { port } = new URL(served.url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(Number(port), '127.0.0.1', () => (then ? socket.end(bytes) : socket.write(bytes)))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (answer += chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}
