import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { staleFiles } from '../generated-file'
import { loadDefinition } from '../load'
import { metadataFile } from '../metadata'
import { typesFiles } from '../types'

const shop = path.join(__dirname, '__helpers__/shop')

describe("the files that Segment's algorithm with json-schema-to-typescript 10 makes of a definition with one of everything", () => {
  const committed = (file: string) => readFile(path.join(shop, file), 'utf8')

  it('are what generate:types writes', async () => {
    const files = await typesFiles(await loadDefinition(shop))
    const names = files.map((file) => path.relative(shop, file.path))
    expect(names).toEqual(['generated-types.ts', path.join('order', 'generated-types.ts'), 'refund.types.ts'])
    for (const [index, name] of names.entries()) expect(files[index].content).toBe(await committed(name))
  })

  it('are what generate:metadata-payload writes', async () => {
    const file = metadataFile(await loadDefinition(shop))
    expect(path.relative(shop, file.path)).toBe('metadata.json')
    expect(file.content).toBe(await committed('metadata.json'))
  })
})

describe('metadata of a bare definition', () => {
  it('takes the slug from the folder, and says null for what there is not', () => {
    const { path: file, content } = metadataFile({
      folder: '/somewhere/bare',
      definition: { name: 'Bare', mode: 'cloud', actions: {} }
    })
    expect(file).toBe(path.join('/somewhere/bare', 'metadata.json'))
    expect(JSON.parse(content)).toEqual({
      slug: 'bare',
      name: 'Bare',
      mode: 'cloud',
      authentication: null,
      audienceConfig: null,
      actions: {},
      presets: []
    })
  })
})

describe('stale files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'definition-'))
    await cp(shop, folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('are those that differ or are missing, and only those', async () => {
    const files = await typesFiles(await loadDefinition(folder))
    expect(await staleFiles(files)).toEqual([])
    await rm(path.join(folder, 'order/generated-types.ts'))
    await writeFile(path.join(folder, 'refund.types.ts'), 'export interface Payload {}\n')
    expect((await staleFiles(files)).map((file) => path.relative(folder, file.path))).toEqual([
      path.join('order', 'generated-types.ts'),
      'refund.types.ts'
    ])
  })
})
