import { forgetContacts } from '../../../../definitions/emailsendx/functions'
import { identify, track } from '../../queue/__tests__/__helpers__/events'
import { PostgresServer } from '../../queue/__tests__/__helpers__/postgres'
import { Rig, tick } from './__helpers__/rig'

jest.setTimeout(60_000)

const ann = { userId: 'u1', email: 'ann@example.com' }
const EVENTS = '/api/v1/contacts/*/events'

let server: PostgresServer
beforeAll(async () => {
  forgetContacts()
  server = await PostgresServer.start()
})
afterAll(() => server.end())

it('waits for a Postgres that goes away in the middle of a call, and fires nothing twice', async () => {
  const rig = await Rig.start({ store: await server.freshSchema() })
  try {
    await rig.take(identify(ann))
    await rig.quiet()
    await rig.fault({ kind: 'delay', path: EVENTS, delayMs: 300 })
    const isFiring = rig.nextFiring()
    await rig.take(track(ann, 'one'), track({ userId: 'u1' }, 'two'))
    await isFiring
    await server.turn('stop')
    while ((await rig.fired()).length === 0) await tick()
    await expect(rig.take(track(ann, 'three'))).rejects.toThrow("The Postgres store can't be used")

    await server.turn('start')
    while ((await rig.fired()).length < 2) await tick()
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one', 'two'])
    expect(await rig.queue.stats()).toMatchObject({ events: 0, deadLetters: 0 })
    expect(rig.log.join('')).toMatch(/the store fails, delivery waits for it[^]*the store works again/)
  } finally {
    await rig.end()
  }
})

it('leaves a partition to one of several bridges at a time', async () => {
  const store = await server.freshSchema()
  const rig = await Rig.start({ store })
  const twin = await Rig.start({ store, apiUrl: rig.sandbox.url })
  try {
    for (let round = 0; round < 20; round++) {
      const email = `c${round}@example.com`
      await rig.take(identify({ email }), track({ email }, `one_${round}`), track({ email }, `two_${round}`))
      await twin.take(track({ email }, `three_${round}`))
    }
    while ((await rig.queue.stats()).events > 0) await tick()
    const fired = await rig.fired()
    expect([...fired].sort()).toEqual(
      Array.from({ length: 20 }, (_, round) => [`one_${round}`, `two_${round}`, `three_${round}`])
        .flat()
        .sort()
    )
    for (let round = 0; round < 20; round++) {
      const places = ['one', 'two', 'three'].map((name) => fired.indexOf(`${name}_${round}`))
      expect(places).toEqual([...places].sort((one, other) => one - other))
    }
  } finally {
    await twin.end()
    await rig.end()
  }
})
