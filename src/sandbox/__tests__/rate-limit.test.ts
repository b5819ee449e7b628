import { endSandboxes, start, type Answer } from './__helpers__/running'

afterEach(endSandboxes)

const rate = ({ status, headers }: Answer) => ({
  status,
  limit: headers.get('x-ratelimit-limit'),
  remaining: headers.get('x-ratelimit-remaining'),
  reset: headers.get('x-ratelimit-reset'),
  retryAfter: headers.get('retry-after')
})

/** A sandbox whose clock only moves when told. */
async function startAt(time: number, rateLimit?: number) {
  const clock = { time }
  return { clock, ...(await start({ rateLimit, now: () => clock.time })) }
}

it('lets 120 calls of a key through in any 60 seconds', async () => {
  const { api } = await startAt(1_000_000_000)
  for (let call = 1; call <= 120; call += 1) {
    expect(rate(await api('/whoami'))).toEqual({
      status: 200,
      limit: '120',
      remaining: String(120 - call),
      reset: '1000060',
      retryAfter: null
    })
  }
  const refused = await api('/whoami')
  expect(rate(refused)).toEqual({ status: 429, limit: '120', remaining: '0', reset: '1000060', retryAfter: '60' })
  expect(refused.body).toEqual({ error: 'Rate limit exceeded. Retry after 60 seconds.' })
})

it('dates its answers by the clock that counts the window', async () => {
  const { api } = await startAt(1_000_000_000)
  expect((await api('/whoami')).headers.get('date')).toBe('Mon, 12 Jan 1970 13:46:40 GMT')
})

it('slides: each call leaves the window 60 seconds after it was made', async () => {
  const { api, clock } = await startAt(1_000_000_000, 2)
  await api('/whoami')
  clock.time += 30_500
  await api('/whoami')
  clock.time += 15_000
  expect(rate(await api('/whoami'))).toMatchObject({ status: 429, remaining: '0', reset: '1000060', retryAfter: '15' })
  clock.time += 14_499
  expect(rate(await api('/whoami'))).toMatchObject({ status: 429, retryAfter: '1' })
  clock.time += 1
  expect(rate(await api('/whoami'))).toMatchObject({ status: 200, remaining: '0', reset: '1000091' })
  expect(rate(await api('/whoami'))).toMatchObject({ status: 429, retryAfter: '31' })
})

it('is open again after exactly Retry-After, since refused calls cost nothing', async () => {
  const { api, clock } = await startAt(1_000_000_123, 1)
  await api('/whoami')
  for (let attempt = 0; attempt < 5; attempt += 1) {
    clock.time += 1000
    const { status, retryAfter } = rate(await api('/whoami'))
    expect([status, retryAfter]).toEqual([429, String(59 - attempt)])
  }
  clock.time += 55_000
  expect((await api('/whoami')).status).toBe(200)
})

it('counts per key, every outcome but 401 and 429, and a bulk call once', async () => {
  const { api, keyWith } = await startAt(1_000_000_000)
  const other = await keyWith('lists:read')
  const remaining = async (path: string, call?: object) => rate(await api(path, call)).remaining
  expect(await remaining('/lists')).toBe('119')
  expect(await remaining('/lists?id=nope')).toBe('118')
  expect(await remaining('/contacts', { body: '{' })).toBe('117')
  expect(await remaining('/contacts/bulk', { body: { contacts: [{ email: 'a@x.io' }, { email: 'b@x.io' }] } })).toBe(
    '116'
  )
  expect(await remaining('/contacts', { key: other })).toBe('119')
  expect(await remaining('/lists', { key: 'wrong' })).toBe('120')
  expect(await remaining('/lists', { key: null })).toBe('120')
  expect(await remaining('/nowhere')).toBeNull()
  expect(await remaining('/lists')).toBe('115')
})

it('can be changed while running, and tells where a key stands', async () => {
  const { api, control, state, clock } = await startAt(1_000_000_000)
  for (let call = 0; call < 5; call += 1) {
    await api('/whoami')
    clock.time += 1000
  }
  await control('/settings', { method: 'PATCH', body: { rateLimit: 2 } })
  expect(rate(await api('/whoami'))).toMatchObject({ status: 429, limit: '2', remaining: '0', retryAfter: '58' })
  expect((await state()).keys[0].window).toEqual({ limit: 2, used: 2, remaining: 0, reset: 1000060, retryAfter: 58 })
  clock.time += 58_000
  expect((await api('/whoami')).status).toBe(200)
  await control('/settings', { method: 'PATCH', body: { rateLimit: 3 } })
  expect(rate(await api('/whoami'))).toMatchObject({ status: 200, limit: '3', remaining: '0' })
  expect((await control('/settings', { method: 'PATCH', body: { rateLimit: 0 } })).body.error).toBe(
    'rateLimit must be at least 1'
  )
})
