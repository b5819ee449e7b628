import { deliver, deliverBatch, FakeApi, identify, isolate, MODES, SETTINGS } from '../../__tests__/__helpers__/deliver'

isolate()

const VISITOR = { anonymousId: 'anon_1' }

const MORGAN = {
  email: 'morgan@acme.com',
  firstName: 'Morgan',
  lastName: 'Lee',
  plan: 'pro',
  company: 'Acme Corp',
  signupSource: 'landing'
}

/** Traits so many levels deep. */
const nested = (levels: number, wrap: (inner: object) => object) =>
  Array.from({ length: levels }).reduce<object>(wrap, { end: 1 })

describe.each(MODES)('Identify Contact, %s', (mode) => {
  const send = async (event: ReturnType<typeof identify>, options = {}) => {
    const api = new FakeApi()
    const result = await deliver(mode, 'identifyContact', event, options)
    return { result, api, contact: api.bulkCalls[0]?.contacts[0], listId: api.bulkCalls[0]?.listId }
  }

  it('creates the contact of the product page', async () => {
    const { result, api } = await send(identify(MORGAN, { userId: 'user_12345' }))
    expect(result.status).toBe(200)
    expect(api.bulkCalls).toEqual([
      {
        contacts: [
          {
            email: 'morgan@acme.com',
            firstName: 'Morgan',
            lastName: 'Lee',
            metadata: { plan: 'pro', company: 'Acme Corp', signupSource: 'landing' }
          }
        ]
      }
    ])
  })

  it('sends nothing but the contact and the list: no status, no batch fields, no user id', async () => {
    const { api } = await send(identify({ email: 'a@b.co' }, { userId: 'u1' }), {
      mapping: { listId: 'l1', batch_size: 10 }
    })
    expect(api.bulkCalls).toEqual([{ contacts: [{ email: 'a@b.co' }], listId: 'l1' }])
  })

  describe('email', () => {
    it.each([
      [
        'traits.email',
        identify({ email: 'a@b.co' }, { userId: 'x@y.co', context: { traits: { email: 'c@d.co' } } }),
        'a@b.co'
      ],
      [
        'then context.traits.email',
        identify({}, { userId: 'x@y.co', context: { traits: { email: 'c@d.co' } } }),
        'c@d.co'
      ],
      ['then a user id that is an email', identify({ plan: 'pro' }, { userId: 'x@y.co' }), 'x@y.co'],
      ['the user id also when the email is empty', identify({ email: '' }, { userId: 'x@y.co' }), 'x@y.co'],
      ['the user id also when the email is blank', identify({ email: '  ' }, { userId: 'x@y.co' }), 'x@y.co'],
      ['the user id also when the email is null', identify({ email: null }, { userId: 'x@y.co' }), 'x@y.co'],
      ['trimmed and in lower case', identify({ email: '  Morgan@ACME.com\n' }), 'morgan@acme.com'],
      ['in any script', identify({ email: 'Юлия@почта.рф' }), 'юлия@почта.рф'],
      ['with emoji', identify({ email: '👩‍💻@example.com' }), '👩‍💻@example.com'],
      ['with a tag', identify({ email: 'a+b%c@d.co' }), 'a+b%c@d.co']
    ])('is %s', async (_name, event, email) => {
      const { contact } = await send(event)
      expect(contact.email).toBe(email)
      expect(contact.metadata?.email).toBeUndefined()
    })

    it('is the user id, too, when the mapping itself brings a blank one', async () => {
      const { contact } = await send(identify({}, { userId: 'x@y.co' }), { mapping: { email: ' ' } })
      expect(contact.email).toBe('x@y.co')
    })

    it.each([
      ['none anywhere', identify({ plan: 'pro' }, VISITOR), 'No email address'],
      ['no traits at all', identify(undefined, VISITOR), 'No email address'],
      ['a user id that is no email', identify({}, { userId: 'user_12345' }), 'No email address'],
      ['a user id that only looks like one', identify({}, { userId: 'user@12345' }), 'No email address'],
      ['no domain', identify({ email: 'morgan@' }), 'domain'],
      ['a domain without a dot', identify({ email: ' morgan@acme ' }), 'domain'],
      ['254 characters without a dot', identify({ email: `${'a'.repeat(249)}@acme` }), 'domain'],
      ['an empty part of the domain', identify({ email: 'morgan@acme..com' }), 'domain'],
      ['no name', identify({ email: '@acme.com' }), 'name before the @'],
      ['no @', identify({ email: 'morgan' }), 'exactly one @'],
      ['two @', identify({ email: 'a@b@c.co' }), 'exactly one @'],
      ['a space', identify({ email: 'mor gan@acme.com' }), 'spaces'],
      ['a control character', identify({ email: 'mor\u0000gan@acme.com' }), 'control'],
      ['a zero-width space', identify({ email: 'morgan\u200b@acme.com' }), 'invisible'],
      ['255 characters', identify({ email: `${'a'.repeat(246)}@acme.com` }), 'has 255 characters'],
      ['an object', identify({ email: { work: 'a@b.co' } }, VISITOR), 'Email must be a string'],
      ['nobody at all', identify({}), "required field 'email'"],
      ['angle brackets', identify({ email: '<a@b.co>' }), 'contains one of <'],
      ['mailto:', identify({ email: 'mailto:a@b.co' }), 'contains one of <'],
      ['quotes', identify({ email: '"a@b.co"' }), 'contains one of <'],
      ['two addresses', identify({ email: 'a@b.co,c@d.co' }), 'contains one of <'],
      ['a wrong email beside a good user id', identify({ email: 'morgan@acme' }, { userId: 'x@y.co' }), 'domain']
    ])('refuses %s', async (_name, event, words) => {
      const { result, api } = await send(event)
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain(words)
      expect(api.requests).toEqual([])
    })

    it('never repeats the address in an error, which ends up in logs', async () => {
      const { result } = await send(identify({ email: 'secret person@acme.com' }))
      expect(result.message).not.toContain('secret')
    })

    it('takes 254 characters', async () => {
      const { result } = await send(identify({ email: `${'a'.repeat(245)}@acme.com` }))
      expect(result.status).toBe(200)
    })
  })

  describe('names', () => {
    it.each([
      ['camelCase', { firstName: 'Morgan', lastName: 'Lee' }],
      ['snake_case', { first_name: 'Morgan', last_name: 'Lee' }],
      ['camelCase before snake_case', { firstName: 'Morgan', first_name: 'x', lastName: 'Lee', last_name: 'y' }],
      ['snake_case where camelCase is empty', { firstName: '', first_name: 'Morgan', lastName: ' ', last_name: 'Lee' }],
      ['trimmed', { firstName: ' Morgan ', lastName: '\tLee' }]
    ])('from %s traits', async (_name, traits) => {
      const { contact } = await send(identify({ email: 'a@b.co', ...traits }))
      expect(contact).toEqual({ email: 'a@b.co', firstName: 'Morgan', lastName: 'Lee' })
    })

    it('mapped ones beat traits', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', firstName: 'Trait', given: 'Mapped' }), {
        mapping: { firstName: { '@path': '$.traits.given' } }
      })
      expect(contact).toEqual({ email: 'a@b.co', firstName: 'Mapped', metadata: { given: 'Mapped' } })
    })

    it('keep any script and emoji', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', firstName: '秀英 🌸', lastName: "O'Brien-Śmiały" }))
      expect(contact).toMatchObject({ firstName: '秀英 🌸', lastName: "O'Brien-Śmiały" })
    })

    it.each([[''], ['  '], [null], [undefined]])('are left out when %j, so that none is wiped', async (blank) => {
      const { contact } = await send(identify({ email: 'a@b.co', firstName: blank, last_name: blank }))
      expect(contact).toEqual({ email: 'a@b.co' })
    })
  })

  describe('metadata', () => {
    const metadataOf = async (traits: object, mapping = {}, without: string[] = []) =>
      (await send(identify({ email: 'a@b.co', ...traits }), { mapping, without })).contact?.metadata

    it('keeps values as they are', async () => {
      const traits = {
        plan: 'pro',
        seats: 12,
        trial: false,
        zero: 0,
        score: -1.5,
        big: 2 ** 60,
        born: 694224000,
        nan: 'NaN',
        tags: ['a', null, ''],
        name: 'Morgan Lee'
      }
      expect(await metadataOf(traits)).toEqual(traits)
    })

    it.each([[''], ['  '], [null], [undefined], [NaN], [Infinity], [{}], [{ a: null, b: { c: '' } }]])(
      'leaves out %j, so that nothing is wiped',
      async (blank) => {
        expect(await metadataOf({ plan: blank })).toBeUndefined()
        expect(await metadataOf({ plan: blank }, { nestedTraits: 'keep' })).toBeUndefined()
        expect(await metadataOf({ plan: blank }, { nestedTraits: 'stringify' })).toBeUndefined()
      }
    )

    const NESTED = { address: { city: 'Oslo', geo: { lat: 59.9, lon: null } }, tags: ['a', { b: 1 }] }

    it('spreads nested traits over several fields by default, and when the mapping has no choice', async () => {
      const spread = { address_city: 'Oslo', address_geo_lat: 59.9, tags: ['a', { b: 1 }] }
      expect(await metadataOf(NESTED)).toEqual(spread)
      expect(await metadataOf(NESTED, {}, ['nestedTraits'])).toEqual(spread)
    })

    it('stores nested traits as JSON text when asked to', async () => {
      expect(await metadataOf({ ...NESTED, plan: 'pro' }, { nestedTraits: 'stringify' })).toEqual({
        plan: 'pro',
        address: '{"city":"Oslo","geo":{"lat":59.9}}',
        tags: '["a",{"b":1}]'
      })
    })

    it('sends nested traits as they are when asked to, without their blanks', async () => {
      expect(await metadataOf(NESTED, { nestedTraits: 'keep' })).toEqual({
        address: { city: 'Oslo', geo: { lat: 59.9 } },
        tags: ['a', { b: 1 }]
      })
    })

    it('never lets a spread trait overwrite one of that name', async () => {
      const own = { address_city: 'own', address_tags: ['own'] }
      const spread = { address: { city: 'spread', tags: ['spread'] } }
      expect(await metadataOf({ ...spread, ...own })).toEqual(own)
      expect(await metadataOf({ ...own, ...spread })).toEqual(own)
      expect(await metadataOf({ address: { city: 'spread' }, address_city: '' })).toEqual({ address_city: 'spread' })
    })

    it('takes 10,000 traits, nesting 100 deep and names that JavaScript knows', async () => {
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`t${i}`, i]))
      expect(await metadataOf(many)).toEqual(many)
      expect(await metadataOf(nested(101, (inner) => ({ d: inner })))).toEqual({ [`${'d_'.repeat(101)}end`]: 1 })
      expect(await metadataOf({ constructor: 'Ferrari', toString: 'x' })).toEqual({
        constructor: 'Ferrari',
        toString: 'x'
      })
    })

    it.each([
      ['a name of 256 characters', { ['k'.repeat(256)]: 'x' }, `"${'k'.repeat(40)}…" has a name of 256 characters`],
      ['nesting more than 100 deep', nested(102, (inner) => ({ d: inner })), '"d" is nested more than 100 levels deep'],
      [
        'arrays in arrays, too',
        { ['k'.repeat(50)]: nested(102, (inner) => [inner]) },
        `"${'k'.repeat(40)}" is nested more than 100 levels deep`
      ],
      ['more than 1 MB', { bio: 'x'.repeat(1_000_001) }, 'bytes of traits']
    ])('refuses %s', async (_name, traits, words) => {
      const { result, api } = await send(identify({ email: 'a@b.co', ...traits }))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain(words)
      expect(api.requests).toEqual([])
    })

    it('takes a name of 255 characters', async () => {
      const traits = { ['k'.repeat(255)]: 'x' }
      expect(await metadataOf(traits)).toEqual(traits)
    })

    it.each([
      ['an array', ['a']],
      ['an array of objects', [{ plan: 'pro' }, { seats: 3 }]],
      ['a text', 'pro']
    ])('refuses traits that are %s', async (_name, traits) => {
      const { result, api } = await send(identify(traits, { userId: 'x@y.co' }))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain('Traits must be an object')
      expect(api.requests).toEqual([])
    })

    it.each([
      ['0', { plan: 'pro', 0: 'first' }],
      ['1', { 1: 'first' }]
    ])('takes a trait called %s', async (_name, traits) => {
      expect(await metadataOf(traits)).toEqual(traits)
    })

    it.each([
      ['null', null],
      ['a number', 7],
      ['the [] that PHP writes for an empty object', []]
    ])('takes traits that are %s as none', async (_name, traits) => {
      const { contact } = await send(identify(traits, { userId: 'x@y.co' }))
      expect(contact).toEqual({ email: 'x@y.co' })
    })

    it.each([
      ['undefined', undefined],
      ['null', null]
    ])('are those of context.traits, where RudderStack has them, when traits are %s', async (_name, none) => {
      const { contact } = await send(identify(none, { context: { traits: MORGAN } }))
      const { email, firstName, lastName, ...metadata } = MORGAN
      expect(contact).toEqual({ email, firstName, lastName, metadata })
    })

    it('are not those of context.traits beside traits, where mobile libraries keep older ones', async () => {
      const traits = { email: 'a@b.co', plan: 'pro' }
      const { contact } = await send(identify(traits, { context: { traits: { plan: 'free', seats: 3 } } }))
      expect(contact).toEqual({ email: 'a@b.co', metadata: { plan: 'pro' } })
    })

    it('can not be used to reach the prototype of anything', async () => {
      const traits = JSON.parse(
        '{"email":"a@b.co","__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}'
      ) as object
      const { contact } = await send(identify(traits))
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
      expect(Object.getPrototypeOf(contact?.metadata ?? {})).toBe(Object.prototype)
    })
  })

  describe('places of the email', () => {
    it.each([[''], [null], [[]]])('%j is not there', async (empty) => {
      const { contact } = await send(identify({ email: empty }, { context: { traits: { email: 'c@d.co' } } }))
      expect(contact.email).toBe('c@d.co')
    })

    it('what is no text at all never stands in the way of a batch', async () => {
      const api = new FakeApi()
      const results = await deliverBatch('identifyContact', [
        identify({ email: { toString: 'x' } }, VISITOR),
        identify({ email: 'a@b.co' })
      ])
      expect(results.map(({ status }) => status)).toEqual([400, 200])
      expect(api.bulkCalls).toHaveLength(1)
    })
  })

  describe('odd traits', () => {
    it('a boolean is no name', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', firstName: true, lastName: false }))
      expect(contact).toEqual({ email: 'a@b.co' })
    })

    it('one without a name is left out, and the others are stored', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', '': 'x', ' ': 'y', plan: 'pro' }))
      expect(contact.metadata).toEqual({ plan: 'pro' })
    })

    it('that come to one name are all kept', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', a: { b_c: 1, b: { c: 2 } }, a_b: { c: 3 } }))
      expect(contact.metadata).toEqual({ a_b_c: 1, a_b_c_2: 2, a_b_c_3: 3 })
    })
  })

  describe('metadata names', () => {
    const keys = async (traits: object) =>
      (await send(identify({ email: 'a@b.co', ...traits }), { mapping: { metadataNames: 'field_keys' } })).contact
        .metadata

    it('can be keys of custom fields, which templates can show', async () => {
      const traits = {
        signupSource: 'a',
        Plan: 'b',
        'Cost (€) net': 1,
        HTMLPage: 'c',
        '24h': 'd',
        café: 'e',
        日本: 'f'
      }
      expect(await keys(traits)).toEqual({
        signup_source: 'a',
        plan: 'b',
        cost_net: 1,
        html_page: 'c',
        h: 'd',
        cafe: 'e'
      })
    })

    it('have at most 50 characters', async () => {
      expect(await keys({ [`${'k'.repeat(49)}-tail`]: 1 })).toEqual({ ['k'.repeat(49)]: 1 })
    })

    it('lose none of two traits with one key; the one that has it itself keeps it', async () => {
      expect(await keys({ signupSource: 'a', signup_source: 'b' })).toEqual({
        signup_source: 'b',
        signup_source_2: 'a'
      })
    })

    it('are applied to spread traits, too, which come after all others', async () => {
      expect(await keys({ homeAddress: { zipCode: '0150' } })).toEqual({ home_address_zip_code: '0150' })
      expect(await keys({ home: { zip: 'spread', 日: 'x' }, homeZip: 'own' })).toEqual({
        home_zip: 'own',
        home_zip_2: 'spread',
        home: 'x'
      })
    })
  })

  describe('split name', () => {
    const mapping = { splitName: true }

    it.each([
      [{ name: 'Morgan Lee' }, { firstName: 'Morgan', lastName: 'Lee' }],
      [{ name: ' Ana  María de Souza' }, { firstName: 'Ana', lastName: 'María de Souza' }],
      [{ name: 'Cher' }, { firstName: 'Cher' }],
      [{ name: 7 }, { firstName: '7' }],
      [{ name: 'Morgan Lee', last_name: 'Own' }, { lastName: 'Own' }]
    ])('%j', async (traits, names) => {
      const { contact } = await send(identify({ email: 'a@b.co', ...traits }), { mapping })
      expect(contact).toEqual({ email: 'a@b.co', ...names, metadata: { name: traits.name } })
    })

    it('brings no blank name where there is none to split', async () => {
      const { contact } = await send(identify({ email: 'a@b.co' }), { mapping })
      expect(contact).toEqual({ email: 'a@b.co' })
    })

    it('is off by default', async () => {
      const { contact } = await send(identify({ email: 'a@b.co', name: 'Morgan Lee' }))
      expect(contact).toEqual({ email: 'a@b.co', metadata: { name: 'Morgan Lee' } })
    })
  })

  describe('consent', () => {
    it('is never claimed by itself', async () => {
      const { api } = await send(identify({ email: 'a@b.co' }))
      expect(api.bulkCalls[0]).not.toHaveProperty('consentSource')
    })

    it('goes with the call when the mapping names its source', async () => {
      const { api } = await send(identify({ email: 'a@b.co' }), { mapping: { consentSource: ' signup-form ' } })
      expect(api.bulkCalls[0]).toMatchObject({ consentSource: 'signup-form' })
    })
  })

  describe('list', () => {
    it.each([
      ['the mapped one', { defaultListId: 'default' }, { listId: 'mapped' }, 'mapped'],
      ['the default one when none is mapped', { defaultListId: 'default' }, {}, 'default'],
      ['the default one when the mapped one is blank', { defaultListId: ' default ' }, { listId: '  ' }, 'default'],
      ['none when there is none', {}, {}, undefined],
      ['none when the default one is blank', { defaultListId: '  ' }, {}, undefined],
      ['none when the mapping says so', { defaultListId: 'default' }, { listId: 'none' }, undefined],
      ['none when the settings say so', { defaultListId: 'none' }, {}, undefined]
    ])('is %s', async (_name, settings, mapping, listId) => {
      const sent = await send(identify({ email: 'a@b.co' }), { settings: { ...SETTINGS, ...settings }, mapping })
      expect(sent.listId).toBe(listId)
      expect(sent.contact.email).toBe('a@b.co')
    })
  })
})

describe('Identify Contact, several in a batch', () => {
  it('leaves the good ones untouched by the bad ones', async () => {
    const api = new FakeApi()
    const results = await deliverBatch('identifyContact', [
      identify({ email: 'a@b.co' }),
      identify({ plan: 'pro' }),
      identify('traits'),
      identify({ email: 'c@d.co' }),
      identify({ email: 'no mail' })
    ])
    expect(results.map(({ status }) => status)).toEqual([200, 400, 400, 200, 400])
    expect(api.bulkCalls[0].contacts.map(({ email }) => email)).toEqual(['a@b.co', 'c@d.co'])
    expect(results[1]).toMatchObject({ reporter: 'INTEGRATIONS', sent: undefined, body: undefined })
  })

  it('makes no call when all are bad', async () => {
    const api = new FakeApi()
    await deliverBatch('identifyContact', [identify({}), identify({ email: 'x' })])
    expect(api.requests).toEqual([])
  })

  it('merges rows of one email in order, and gives both the same answer', async () => {
    const api = new FakeApi()
    const results = await deliverBatch('identifyContact', [
      identify({ email: 'a@b.co', firstName: 'Old', plan: 'free', seats: 1 }),
      identify({ email: 'c@d.co' }),
      identify({ email: 'A@B.co', firstName: 'New', plan: 'pro', lastName: '' })
    ])
    expect(api.bulkCalls[0].contacts).toEqual([
      { email: 'a@b.co', firstName: 'New', metadata: { plan: 'pro', seats: 1 } },
      { email: 'c@d.co' }
    ])
    expect(results[0]).toEqual(results[2])
    expect(results[0].sent).toEqual({ email: 'a@b.co', firstName: 'New', metadata: { plan: 'pro', seats: 1 } })
  })

  it('sends no empty metadata for rows of one email that have none', async () => {
    const api = new FakeApi()
    await deliverBatch('identifyContact', [identify({ email: 'a@b.co' }), identify({ email: 'a@b.co' })])
    expect(api.bulkCalls).toEqual([{ contacts: [{ email: 'a@b.co' }] }])
  })

  it('gives rows of one email the same refusal', async () => {
    const api = new FakeApi()
    api.takes = (row) => row.email !== 'a@b.co'
    const results = await deliverBatch('identifyContact', [
      identify({ email: 'a@b.co' }),
      identify({ email: 'c@d.co' }),
      identify({ email: 'a@b.co' })
    ])
    expect(results.map(({ status }) => status)).toEqual([400, 200, 400])
  })

  it('makes one call for each list, and the last word of a contact stands whatever the list', async () => {
    const api = new FakeApi()
    await deliverBatch(
      'identifyContact',
      [
        identify({ email: 'a@b.co', plan: 'first', list: 'l1' }),
        identify({ email: 'a@b.co', plan: 'second', list: 'l2' }),
        identify({ email: 'a@b.co', plan: 'third', list: 'l1' })
      ],
      { mapping: { listId: { '@path': '$.traits.list' }, traits: { plan: { '@path': '$.traits.plan' } } } }
    )
    expect(api.bulkCalls).toEqual([
      { contacts: [{ email: 'a@b.co', metadata: { plan: 'third' } }], listId: 'l1' },
      { contacts: [{ email: 'a@b.co', metadata: { plan: 'third' } }], listId: 'l2' }
    ])
  })

  it('claims a consent for none but those who gave it', async () => {
    const api = new FakeApi()
    await deliverBatch(
      'identifyContact',
      [
        identify({ email: 'a@b.co', firstName: 'signup-form' }),
        identify({ email: 'c@d.co', firstName: 'checkout' }),
        identify({ email: 'e@f.co' })
      ],
      { mapping: { consentSource: { '@path': '$.traits.firstName' } } }
    )
    expect(api.bulkCalls).toEqual([
      { contacts: [{ email: 'a@b.co', firstName: 'signup-form' }], consentSource: 'signup-form' },
      { contacts: [{ email: 'c@d.co', firstName: 'checkout' }], consentSource: 'checkout' },
      { contacts: [{ email: 'e@f.co' }] }
    ])
  })
})
