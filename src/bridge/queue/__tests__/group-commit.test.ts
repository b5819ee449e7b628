import { GroupCommit } from '../group-commit'

/** A store that writes when it is told to. */
function store(writers = 1, maxSize = 100) {
  const groups: { items: string[]; commit: (results?: string[]) => void; fail: (error: Error) => void }[] = []
  const intake = new GroupCommit<string, string>({
    write: (items) =>
      new Promise((resolve, reject) => {
        groups.push({
          items,
          commit: (results = items.map((item) => `took ${item}`)) => resolve(results),
          fail: reject
        })
      }),
    sizeOf: (item) => item.length,
    maxSize,
    writers,
    isOfOne: (error) => (error as Error).message === 'one is bad'
  })
  return { intake, groups, names: () => groups.map(({ items }) => items.join(' ')) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('writes what comes alone at once, and together what comes while it writes', async () => {
  const { intake, groups, names } = store()
  const one = intake.add('one')
  await turn()
  const rest = Promise.all([intake.add('two'), intake.add('three')])
  await turn()
  expect(names()).toEqual(['one'])
  groups[0].commit()
  expect(await one).toBe('took one')
  expect(names()).toEqual(['one', 'two three'])
  groups[1].commit()
  expect(await rest).toEqual(['took two', 'took three'])
})

it('keeps groups within their size, but takes an item that is larger by itself', async () => {
  const { intake, groups, names } = store(1, 8)
  const all = Promise.all(['aaa', 'bbb', 'ccc', 'dddddddddd', 'e'].map((item) => intake.add(item)))
  for (let group = 0; group < 4; group++) {
    await turn()
    groups[group].commit()
  }
  await all
  expect(names()).toEqual(['aaa bbb', 'ccc', 'dddddddddd', 'e'])
})

it('writes several groups at a time', async () => {
  const { intake, groups, names } = store(2)
  const one = intake.add('one')
  await turn()
  const two = intake.add('two')
  await turn()
  const three = intake.add('three')
  await turn()
  expect(names()).toEqual(['one', 'two'])
  groups[1].commit()
  expect(await two).toBe('took two')
  await turn()
  groups[2].commit()
  expect(await three).toBe('took three')
  groups[0].commit()
  await one
})

it('fails those of a group that could not be written, and goes on', async () => {
  const { intake, groups } = store()
  const group = Promise.allSettled([intake.add('one'), intake.add('two')])
  await turn()
  const next = intake.add('three')
  groups[0].fail(new Error('disk full'))
  expect(await group).toMatchObject([{ reason: { message: 'disk full' } }, { reason: { message: 'disk full' } }])
  groups[1].commit()
  expect(await next).toBe('took three')
})

it('writes each by itself when the group fails for one of them', async () => {
  const { intake, groups, names } = store()
  const all = Promise.allSettled([intake.add('one'), intake.add('bad'), intake.add('three')])
  await turn()
  groups[0].fail(new Error('one is bad'))
  await turn()
  groups[1].commit()
  await turn()
  groups[2].fail(new Error('one is bad'))
  await turn()
  groups[3].commit()
  expect(await all).toMatchObject([
    { value: 'took one' },
    { reason: { message: 'one is bad' } },
    { value: 'took three' }
  ])
  expect(names()).toEqual(['one bad three', 'one', 'bad', 'three'])
})
