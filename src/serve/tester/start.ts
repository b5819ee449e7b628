import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { loopbackOrigin } from '../../http/loopback'
import type { Upstreams } from './upstreams'

/** What the local tools are fed with. */
const FEED = process.env.EMAILSENDX_SAMPLES ?? path.join(__dirname, '../../../.segment')
const DOCS = path.join(__dirname, '../../../docs')

/** A file of `.segment`, its name without `.json`. The page reads the text, and says what is wrong with it. */
interface NamedText {
  name: string
  text: string
}

/** What the page begins with. */
export interface Start {
  samples: NamedText[]
  mappings: NamedText[]
  settings: Record<string, unknown>
  /** Origin of the sandbox that the page can look into. */
  sandbox?: string
  /** Whether there is a bridge to look into. */
  bridge: boolean
}

export async function start({ sandbox, sandboxKey, bridge }: Upstreams): Promise<Start> {
  return {
    samples: await texts('events'),
    mappings: await texts('mappings'),
    settings: withoutLiveKey({
      ...(await settings()),
      ...(sandbox && { apiUrl: sandbox }),
      ...(sandboxKey && { apiKey: sandboxKey })
    }),
    sandbox,
    bridge: bridge !== undefined
  }
}

async function texts(folder: string): Promise<NamedText[]> {
  const files = await readdir(path.join(FEED, folder)).catch(() => [])
  return Promise.all(
    files
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map(async (file) => ({
        name: path.basename(file, '.json'),
        text: await readFile(path.join(FEED, folder, file), 'utf8')
      }))
  )
}

async function settings(): Promise<Record<string, unknown>> {
  const text = await readFile(path.join(FEED, 'settings.json'), 'utf8').catch(() => '{}')
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  } catch {
    throw new Error('.segment/settings.json is not a JSON object: correct it and reload')
  }
}

/** A key is given away only where it is for a server on this machine: other programs may ask for it, too. */
function withoutLiveKey({ apiKey, ...others }: Record<string, unknown>): Record<string, unknown> {
  return loopbackOrigin(String(others.apiUrl)) ? { apiKey, ...others } : others
}

export const fileCall = z.object({
  folder: z.enum(['events', 'mappings']),
  name: z.string().regex(/^[\w-]{1,60}$/, 'may have letters, digits, - and _'),
  text: z.string()
})

/** Keeps an event or a mapping in `.segment`, for everybody with this checkout. What is there already stays. */
export async function writeSample({ folder, name, text }: z.output<typeof fileCall>): Promise<{ file: string }> {
  const file = path.join(FEED, folder, `${name}.json`)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, `${text}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new HttpError(409, `.segment/${folder}/${name}.json is there already: take another name`)
    throw new HttpError(403, `.segment/${folder}/${name}.json cannot be written (${error.code})`)
  })
  return { file: `.segment/${folder}/${name}.json` }
}

/** A page of the documentation as it is written. */
export async function readDoc(name: string): Promise<string> {
  const known = /^[a-z-]+$/.test(name)
    ? await readFile(path.join(DOCS, `${name}.md`), 'utf8').catch(() => undefined)
    : undefined
  if (known === undefined) throw new HttpError(404, 'There is no such page.')
  return known
}
