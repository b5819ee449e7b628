import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { HANGING_KEY, HANGING_KEYS } from './api'

/*
 * What strangers do to a bridge, each of it again and again until this process is killed. Runs in a process of its own, so that
 * it takes no time from who measures: `attack port` on the command line. Everything stays on this machine, and is bounded by the
 * few connections that each attack uses. Each request is of another address, as a proxy in front would tell it: from one address
 * there would be little to see.
 */

const CONNECTIONS = 8
const KEYS_A_SECOND = 240

const json = (value: unknown) => gzipSync(JSON.stringify(value))
const track = { type: 'track', event: 'A', userId: 'u' }
const inventedKey = () => `esx_test_${randomUUID()}`
const inventedAddress = () => `10.${[...randomBytes(3)].join('.')}`

const batch = Array.from({ length: 5_000 }, () => track)
const merging = [{ x: 'x'.repeat(1_000_000) }, { x: 'x'.repeat(30_000) }].flatMap((large) => [
  json({ context: large, batch }),
  json({ integrations: large, batch: batch.slice(0, 400) })
])

const names = (count: number) => Array.from({ length: count }, (_, i) => `"n${i}":${i}`).join()
const blocking = [
  gzipSync(`[${'{},'.repeat(5_000_000)}{}]`),
  gzipSync(`{"type":"identify","userId":"u","traits":{${names(1_000_000)}}}`),
  gzipSync(`${'['.repeat(7_900_000)}${']'.repeat(7_900_000)}`),
  gzipSync(`[${`{"type":"track","event":"A","properties":{${names(2_000)}}},`.repeat(500)}null]`)
]

/** Under 32 KB each, of another address each: as much as is taken of a key that nobody knows, or three times that. */
const filling = (i: number) =>
  JSON.stringify(
    Array.from({ length: i % 2 === 0 ? 60 : 190 }, () => ({
      ...{ type: 'identify', messageId: randomUUID(), userId: randomUUID(), traits: { notes: 'x'.repeat(31_000) } }
    }))
  )

const attacks: Record<string, (port: number) => Promise<void>> = {
  merging: (port) => again(port, (i) => post(port, merging[i % merging.length], inventedKey())),
  filling: (port) => again(port, (i) => post(port, filling(i), inventedKey())),
  blocking: (port) => again(port, (i) => post(port, blocking[i % blocking.length], inventedKey())),
  holding: (port) => again(port, () => holdBack(port)),

  async flooding(port) {
    for (;;) {
      const email = `${randomUUID()}@example.com`
      void post(port, JSON.stringify({ type: 'identify', traits: { email } }), inventedKey())
      await pause(1000 / KEYS_A_SECOND)
    }
  },

  hanging: (port) =>
    again(port, (i) => {
      const email = `user${Math.floor(i / HANGING_KEYS)}@hanging.example`
      return post(port, JSON.stringify({ type: 'identify', traits: { email } }), `${HANGING_KEY}${i % HANGING_KEYS}`)
    })
}

async function again(port: number, attack: (i: number) => Promise<unknown>): Promise<void> {
  let count = 0
  const connection = async () => {
    for (;;) await attack(count++)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
}

async function post(port: number, body: Buffer | string, key: string): Promise<void> {
  try {
    const url = `http://127.0.0.1:${port}/v1/batch`
    const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': inventedAddress() }
    const response = await fetch(url, { method: 'POST', body, headers })
    await response.arrayBuffer()
  } catch {
    // Refused in the middle, or the bridge is dead, which the customer will notice.
    await pause(100)
  }
}

/** Sends all of a body but five bytes, and waits until the connection is lost. */
async function holdBack(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  const bytes = 16 * 1024 * 1024 - 5
  const head = ['POST /v1/batch HTTP/1.1', 'Host: localhost', `Content-Length: ${bytes + 5}`]
  const whose = [`Authorization: Bearer ${inventedKey()}`, `X-Forwarded-For: ${inventedAddress()}`]
  socket.write(`${[...head, ...whose].join('\r\n')}\r\n\r\n`)
  socket.write(Buffer.alloc(bytes, ' '))
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
  await pause(100)
}

process.on('disconnect', () => process.exit())
const [attack, port] = process.argv.slice(2)
void attacks[attack](Number(port))
