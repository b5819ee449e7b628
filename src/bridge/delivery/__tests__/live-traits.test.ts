import { forgetContacts } from '../../../../definitions/emailsendx/functions'
import type { BridgeEvent } from '../../event'
import { identify, track } from '../../queue/__tests__/__helpers__/events'
import { stores } from '../../queue/__tests__/__helpers__/stores'
import { Rig } from './__helpers__/rig'

jest.setTimeout(60_000)

const ann = { userId: 'u1', email: 'ann@example.com' }

function history(user: Parameters<typeof identify>[0], traits: object): BridgeEvent {
  return { ...identify(user, traits), options: { isHistory: true } }
}

describe.each(['SQLite', 'Postgres'] as const)('an identify of a replay, on %s', (engine) => {
  const { fresh } = stores(engine)
  let rig: Rig
  beforeAll(async () => {
    rig = await Rig.start({ store: await fresh() })
  })
  beforeEach(async () => {
    forgetContacts()
    await rig.renew()
  })
  afterAll(() => rig.end())

  const contact = async () => (await rig.state()).contacts[0]

  it('leaves alone what live identifies have set before, and fills in the rest', async () => {
    await rig.take(identify(ann, { plan: 'pro', first_name: 'Ann', address: { zip: '1' }, empty: '' }))
    await rig.quiet()
    await rig.take(identify(ann, { seats: 5 }))
    await rig.quiet()
    const old = { plan: 'free', firstName: 'Anna', address_city: 'Rome', address_zip: '0', addressee: 'x', seats: 1 }
    await rig.take(history(ann, { ...old, empty: 'filled', since: 2020 }))
    await rig.quiet()
    expect(await contact()).toMatchObject({
      firstName: 'Ann',
      metadata: { plan: 'pro', address_zip: '1', seats: 5, addressee: 'x', empty: 'filled', since: 2020 }
    })
    expect((await contact()).metadata).not.toHaveProperty('address_city')
  })

  it('does so, too, when they are in the queue together, in either order', async () => {
    await rig.take(
      history({ ...ann, userId: 'u9' }, { a: 'old' }),
      identify(ann, { a: 'live', plan: 'pro' }),
      history(ann, { plan: 'free', since: 2020 })
    )
    await rig.quiet()
    expect((await contact()).metadata).toEqual({ a: 'live', plan: 'pro', since: 2020 })
  })

  it('does not change whose an id is', async () => {
    await rig.take(identify(ann, { plan: 'pro' }))
    await rig.quiet()
    await rig.take(history({ userId: 'u1', email: 'ann.old@example.com' }, { plan: 'free' }))
    await rig.quiet()
    await rig.take(track({ userId: 'u1' }, 'bought'))
    await rig.quiet()
    expect((await rig.state()).events).toMatchObject([{ name: 'bought', email: 'ann@example.com' }])
  })

  it('may be overwritten by live ones afterwards', async () => {
    await rig.take(history(ann, { plan: 'free', since: 2020 }))
    await rig.quiet()
    await rig.take(identify(ann, { plan: 'pro' }))
    await rig.quiet()
    await rig.take(history(ann, { plan: 'older', since: 2019 }))
    await rig.quiet()
    expect((await contact()).metadata).toEqual({ plan: 'pro', since: 2019 })
  })
})
