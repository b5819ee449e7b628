import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { loopbackOrigin } from '../../http/loopback'
import type { Upstreams } from './upstreams'

/** What the local tools are fed with. */
const FEED = path.join(__dirname, '../../../.segment')

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
