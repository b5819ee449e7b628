import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { openAccount } from '../../account/account'
import { SANDBOX_KEY, startSandbox, switches, type Sandbox, type SandboxOptions } from '../../sandbox'
import { check, conclusion, type CheckOptions, type Report } from '..'
import { judgeFailure } from '../connection'
import { pasteable } from '../paste'
import { contrary, type Twist } from './__helpers__/contrary'
import { listen } from './__helpers__/listen'

const LIST = 'clx_list_newsletter_id'
const EMAIL = 'Morgan.Check@acme.com'
const WRITE = { listId: LIST, email: EMAIL, event: 'purchase_completed' }

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function sandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const running = await startSandbox({ port: 0, rateLimit: 1000, ...options })
  endings.push(() => running.close())
  return running
}

const inspect = async (url: string, path: string, init?: { method: string; body?: object }) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/_sandbox${path}`, {
    method: init?.method,
    headers,
    body: init?.body && JSON.stringify(init.body)
  })
  return (await answer.json()) as { totals: Record<string, number> }
}

const checkAt = async (url: string, options: CheckOptions = {}, key = SANDBOX_KEY): Promise<Report> =>
  check(await openAccount(url, key), options)

const marks = ({ findings }: Report) => Object.fromEntries(findings.map(({ about, mark }) => [about, mark]))
const verdicts = ({ readings }: Report) => Object.fromEntries(readings.map(({ about, verdict }) => [about, verdict]))
const withVerdict = (report: Report, wanted: string) =>
  Object.entries(verdicts(report)).flatMap(([about, verdict]) => (verdict === wanted ? [about] : []))

describe('an account that is as it should be', () => {
  it('needs no change, and is not changed', async () => {
    const { url } = await sandbox()
    const before = (await inspect(url, '/state')).totals
    const report = await checkAt(url, { defaultListId: LIST })
    expect(marks(report)).toEqual({
      address: 'ok',
      'API key': 'ok',
      workspace: 'ok',
      'scope contacts:read': 'ok',
      'scope contacts:write': 'ok',
      'scope lists:read': 'ok',
      'default list': 'ok',
      'rate limit': 'ok'
    })
    expect(conclusion(report)).toBe('Nothing to change in the settings.')
    expect((await inspect(url, '/state')).totals).toEqual({ ...before, requests: report.calls })
    expect(report.left).toEqual([])
  })

  it('confirms what reading can confirm, contradicts nothing, and says what is open', async () => {
    const report = await checkAt((await sandbox()).url)
    expect(withVerdict(report, 'contradicted')).toEqual([])
    expect(withVerdict(report, 'confirmed').length).toBeGreaterThanOrEqual(18)
    expect(report.readings.find(({ about }) => about === 'metadata')).toMatchObject({ saw: 'needs --write' })
  })

  it('confirms nearly everything by writing to one contact, and says what it left', async () => {
    const { url } = await sandbox()
    const report = await checkAt(url, { write: WRITE })
    expect(withVerdict(report, 'contradicted')).toEqual([])
    expect(withVerdict(report, 'not tested')).toEqual([
      'eventContactStatus',
      'listCreated',
      'customFieldCreated',
      'customFieldExists'
    ])
    expect((await inspect(url, '/state')).totals).toMatchObject({ contacts: 1, lists: 2, members: 1 })
    expect(report.left).toContain('its membership of the list you named')
  })

  it('starts no automation without --event', async () => {
    const { url } = await sandbox()
    const report = await checkAt(url, { write: { ...WRITE, event: undefined } })
    expect(verdicts(report).eventMatch).toBe('not tested')
    expect((await inspect(url, '/state')).totals).toMatchObject({ automationRuns: 0 })
  })

  it('can be checked again with the same contact', async () => {
    const { url } = await sandbox()
    await checkAt(url, { write: WRITE })
    const again = await checkAt(url, { write: WRITE })
    expect(withVerdict(again, 'contradicted')).toEqual([])
    expect((await inspect(url, '/state')).totals).toMatchObject({ contacts: 1 })
  })
})

describe('a setting that must be changed', () => {
  it('is the key, when it is wrong', async () => {
    const report = await checkAt((await sandbox()).url, {}, 'esx_live_wrong')
    expect(marks(report)).toEqual({ address: 'ok', 'API key': 'change' })
    expect(conclusion(report)).toContain('Paste a valid API key')
  })

  it('is the key on a server without whoami, too', async () => {
    const { url } = await sandbox({ whoami: 'missing' })
    expect(marks(await checkAt(url))).toMatchObject({ address: 'ok', 'API key': 'ok', workspace: 'unknown' })
    expect(marks(await checkAt(url, {}, 'esx_live_wrong'))).toMatchObject({ 'API key': 'change' })
  })

  it('are the scopes that are missing', async () => {
    const { url } = await sandbox()
    await inspect(url, '/keys/key_default', { method: 'PATCH', body: { scopes: ['contacts:read'] } })
    const report = await checkAt(url)
    expect(marks(report)).toMatchObject({ 'scope contacts:write': 'change', 'scope lists:read': 'change' })
    expect(conclusion(report)).toBe('Give the API key the scope contacts:write. Give the API key the scope lists:read.')
    expect(withVerdict(report, 'contradicted')).toEqual([])
  })

  it('is the default list, when there is none of that id', async () => {
    const { url } = await sandbox()
    expect(conclusion(await checkAt(url, { defaultListId: 'clx_gone' }))).toContain('Correct Default List ID')
    await expect(checkAt(url, { write: { ...WRITE, listId: 'clx_gone' } })).rejects.toThrow('nothing was written')
    expect((await inspect(url, '/state')).totals).toMatchObject({ contacts: 0 })
  })

  const serve = async (status: number, headers: Record<string, string>, body: string) => {
    const server = await listen(createServer((_request, response) => response.writeHead(status, headers).end(body)))
    endings.push(server.close)
    return server.url
  }

  it('is the address, when another answers', async () => {
    const page = await serve(200, { 'content-type': 'text/html' }, '<h1>Hello</h1>')
    expect(conclusion(await checkAt(page))).toBe('Correct the API URL.')
    const moved = await serve(301, { location: 'https://mail.example.com/api/v1/whoami' }, '')
    expect(conclusion(await checkAt(moved))).toBe('Set the API URL to https://mail.example.com.')
  })

  it('is the address, when nobody answers', async () => {
    const server = await listen(createServer())
    server.close()
    const report = await checkAt(server.url)
    expect(report.findings).toEqual([
      expect.objectContaining({ mark: 'change', says: 'nothing listens there (ECONNREFUSED)' })
    ])
  })

  it.each([
    ['ENOTFOUND', 'DNS'],
    ['CERT_HAS_EXPIRED', 'certificate'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate'],
    ['EPROTO', 'TLS'],
    ['ECONNRESET', 'no answer']
  ])('is told apart by what failed: %s', (code, word) => {
    expect(judgeFailure(code).says).toContain(word)
  })

  it('is none when the server has a problem', async () => {
    const report = await checkAt(await serve(503, {}, ''))
    expect(marks(report)).toEqual({ address: 'unknown' })
    expect(conclusion(report)).toBe('Nothing to change in the settings.')
  })
})

describe('a server of another mind', () => {
  /** In one server with others they would hide those. */
  const ALONE = ['segmentEndpoint', 'segmentAnswer', 'segmentEventMatch']
  const [alone, together]: Record<string, string>[][] = [[], []]
  for (const [name, choices] of Object.entries(switches)) {
    const others = Object.keys(choices).slice(1)
    if (ALONE.includes(name)) alone.push(...others.map((choice) => ({ [name]: choice })))
    else others.forEach((choice, place) => (together[place] = { ...together[place], [name]: choice }))
  }

  it.each([...alone, ...together])('is told by its answers: %j', async (choices) => {
    const { url } = await sandbox(choices)
    const report = await checkAt(url, { write: WRITE })
    expect(withVerdict(report, 'contradicted')).toEqual(expect.arrayContaining(Object.keys(choices)))
  })

  const OK = { status: 200, body: '{"data":[]}' }
  const page: Twist = (_request, { status }) => (status === 404 ? { headers: {}, body: '' } : undefined)
  const json = (body: string) => JSON.parse(body) as { data: { [key: string]: unknown } }
  const rows = (body: string) => json(body).data as unknown as object[]
  /** The nth request with such a body matches no automation. */
  const onlyOnce = (nth: number, body: RegExp): Twist => {
    let count = 0
    return (request, answer) =>
      body.test(request.body) && ++count === nth
        ? { body: answer.body.replace(/"matchingAutomations":\d+/, '"matchingAutomations":0') }
        : undefined
  }
  const at =
    (method: string, path: RegExp, change: Twist): Twist =>
    (request, answer) =>
      request.method === method && path.test(request.url) ? change(request, answer) : undefined

  /** Servers that differ in many things, of which none hides another. */
  const servers: Record<string, Twist>[] = [
    {
      limit: at('GET', /limit=101/, () => OK),
      order: at('GET', /lists\?limit=100/, (_request, { body }) => ({
        body: JSON.stringify({ data: [...rows(body)].reverse() })
      })),
      reset: at('GET', /whoami/, (_request, { headers }) => ({ headers: { ...headers, 'x-ratelimit-reset': '1' } })),
      formats: at('GET', /contacts\?limit=1$/, (_request, { body }) => ({ body: body.replace(/Z"/g, '.000Z"') })),
      email: at('GET', /search=/, (_request, { body }) => ({ body: body.replaceAll(EMAIL.toLowerCase(), EMAIL) })),
      names: at('GET', /search=/, (_request, { body }) => ({
        body: body.replace('"firstName":"Check"', '"firstName":null')
      })),
      status: at('GET', /search=/, (_request, { body }) => ({ body: body.replace('"active"', '"unsubscribed"') })),
      upsertList: at('GET', /list_id=clx_list/, () => OK),
      eventRepeat: onlyOnce(3, /"name":"purchase_completed"/),
      segmentUser: at('POST', /segment/, ({ body }) =>
        body.includes(`"userId":"${EMAIL}"`) ? { status: 404 } : undefined
      ),
      segmentFields: onlyOnce(2, /"messageId"/),
      repeatedParameter: at('GET', /limit=1&limit=2/, () => ({ body: '{"data":[],"pagination":{"limit":2}}' })),
      search: at('GET', /search=[^&]*[A-Z]{3}/, () => OK),
      bulkMaximum: at('POST', /bulk/, ({ body }) => (body.length > 20_000 && body.length < 100_000 ? OK : undefined)),
      depthMaximum: at('POST', /contacts$/, ({ body }) => (body.includes('[[[') ? { status: 200 } : undefined)),
      metadata: at('POST', /contacts$/, ({ body }) => (body.includes('"metadata":null') ? { status: 400 } : undefined)),
      statusFilter: at('GET', /status=nonsense/, () => OK),
      unknownList: at('GET', /list_id=clx_emailsendx/, () => OK),
      contactById: at('GET', /contacts\/c\w+$/, () => OK),
      oneById: at('GET', /lists\?id=clx_list/, (_request, { body }) => ({
        body: JSON.stringify({ data: [json(body).data] })
      })),
      bothHeaders: (request) =>
        request.headers['x-api-key'] === undefined ? undefined : { status: 401, body: '{"error":"Invalid"}' },
      malformed: at('POST', /bulk/, ({ body }) => (body === '{' ? { status: 422 } : undefined)),
      bodyMaximum: (_request, { status }) => (status === 413 ? { status: 400 } : undefined),
      wrongMethod: at('PUT', /contacts/, () => ({ status: 404 })),
      upsertCreated: at('POST', /contacts$/, (_request, { status }) => (status === 201 ? { status: 200 } : undefined)),
      bulkStatus: at('POST', /bulk/, ({ body }) => (body.includes('no-address') ? { status: 207 } : undefined)),
      bulkErrors: at('POST', /bulk/, (_request, { body }) => ({
        body: body.replace('"message":"', '"message":"emailsendx-check-no-address: ')
      })),
      bulkDuplicates: at('POST', /bulk/, (_request, { body }) => ({
        body: body.replace('"skipped":1', '"skipped":0')
      })),
      eventStatus: at('POST', /events$/, (_request, { body }) => ({
        body: body.replace(/"EmailSendX Check/, '"emailsendx check')
      })),
      unknownContact: at('POST', /check_none\/events/, () => OK),
      segmentTypes: at('POST', /segment/, ({ body }) => (body.includes('"page"') ? { status: 400 } : undefined)),
      rudderstack: at('GET', /search=/, (_request, { body }) => ({
        body: body.replaceAll('emailsendx_check_rudderstack', 'lost')
      }))
    },
    {
      search: at('GET', /search=hec/, () => OK),
      status: at('GET', /search=/, (_request, { body }) => ({
        body: body.replace('"email":', '"tags":["emailsendx_check"],"email":')
      })),
      segmentEmail: at('POST', /segment/, (_request, { status }) => (status === 400 ? OK : undefined)),
      rudderstack: at('POST', /rudderstack/, ({ body }) => (body.includes('track') ? { status: 404 } : undefined))
    },
    {
      bulkMaximum: at('POST', /bulk/, ({ body }) => (body === '{"contacts":[]}' ? OK : undefined)),
      unknownRoute: page,
      upsertUpdated: at('POST', /contacts$/, (_request, { status }) =>
        status === 200 ? { status: 204, body: '' } : undefined
      )
    },
    {
      counting: () => ({ headers: { 'x-ratelimit-remaining': '50', 'content-type': 'application/json' } })
    }
  ]

  it.each(servers.map((twists) => [Object.keys(twists).join(', '), twists] as const))(
    'is told by its answers: %s',
    async (_, twists) => {
      const { url } = await sandbox()
      const other = await contrary(url, ...Object.values(twists))
      endings.push(other.close)
      const report = await checkAt(other.url, { write: WRITE })
      expect(withVerdict(report, 'contradicted')).toEqual(expect.arrayContaining(Object.keys(twists)))
    }
  )

  it('loses the fields that were not sent: that is said in capitals', async () => {
    const { url } = await sandbox()
    const forgetful = await contrary(
      url,
      at('GET', /search=/, (_request, { body }) => ({ body: body.replace(/"emailsendx_check_run":"[^"]*",?/, '') }))
    )
    endings.push(forgetful.close)
    const report = await checkAt(forgetful.url, { write: WRITE })
    expect(report.readings.find(({ about }) => about === 'metadata')).toMatchObject({
      verdict: 'contradicted',
      saw: expect.stringContaining('REPLACED')
    })
  })

  it('stays open where the server is in the way', async () => {
    const { url } = await sandbox()
    const broken = await contrary(
      url,
      at('GET', /status=nonsense/, () => ({ status: 500, body: '{"error":"oops"}' }))
    )
    endings.push(broken.close)
    const { readings } = await checkAt(broken.url)
    expect(readings.find(({ about }) => about === 'statusFilter')).toMatchObject({
      verdict: 'not tested',
      saw: 'GET contacts answered 500'
    })
  })
})

it('waits when the minute is used up, and goes on', async () => {
  const { url } = await sandbox()
  let refusals = 2
  const busy = await contrary(url, ({ url: path }) =>
    path.includes('status=nonsense') && refusals-- > 0
      ? { status: 429, headers: { 'retry-after': '0' }, body: '{"error":"Rate limit exceeded."}' }
      : undefined
  )
  endings.push(busy.close)
  expect(verdicts(await checkAt(busy.url)).statusFilter).toBe('confirmed')
})

it('does not take the way to a distant server for a difference', async () => {
  const account = await openAccount((await sandbox()).url, SANDBOX_KEY)
  const distant: typeof account = {
    ...account,
    call: async (method, path, options) => {
      if (path === 'whoami') await setTimeout(1_500)
      return account.call(method, path, options)
    }
  }
  expect(verdicts(await check(distant, {})).reset).toBe('confirmed')
})

describe('the form for an issue', () => {
  it('holds no key, no address and nothing that names the account', async () => {
    const { url } = await sandbox()
    const text = pasteable(await checkAt(url, { defaultListId: LIST, write: WRITE }))
    expect(text).toContain('| eventMatch | confirmed |')
    for (const secret of [SANDBOX_KEY, 'esx_', '@acme', 'morgan', LIST, 'EmailSendX Sandbox', '127.0.0.1']) {
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase())
    }
  })

  it('says that the address redirects, but not where', async () => {
    const server = await listen(
      createServer((_request, response) => response.writeHead(302, { location: 'https://mail.acme.com/' }).end())
    )
    endings.push(server.close)
    const text = pasteable(await checkAt(server.url))
    expect(text).toContain('Set the API URL to …')
    expect(text).not.toContain('acme')
  })
})
