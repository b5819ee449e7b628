import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

/** What is asked first is not measured: a process has to get warm. */
const WARMING_MS = 1_500

/** What one run of load saw. */
export type Load = {
  /** Requests. */
  perSecond: number
  /** Milliseconds that 99 of 100 answers took at most. */
  p99: number
}

/**
 * Sends requests over keep-alive connections, each connection one at a time, and times the answers. Speaks HTTP by hand,
 * since on two cores an HTTP client would cost as much as the server that is measured.
 * @param keys API keys, taken by turns
 * @param body makes the body of request `n`
 */
export async function load(
  port: number,
  {
    connections,
    seconds,
    keys,
    body
  }: { connections: number; seconds: number; keys: string[]; body: (n: number) => string }
): Promise<Load> {
  const times: number[] = []
  const heads = keys.map((key) => `${HEAD}Authorization: Bearer ${key}\r\n`)
  let sent = 0
  const started = performance.now() + WARMING_MS
  const until = started + seconds * 1000

  async function connection(): Promise<void> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true)
    await once(socket, 'connect')
    let answered: (() => void) | undefined
    // Answers are a few dozen bytes, so each comes in one piece.
    socket.on('data', (chunk) => {
      const answer = chunk.toString('latin1')
      if (!answer.startsWith('HTTP/1.1 200 ') || !answer.endsWith('}')) throw new Error(`not taken: ${answer}`)
      answered?.()
    })
    while (performance.now() < until) {
      const head = heads[sent % heads.length]
      const text = body(sent++)
      const begun = performance.now()
      await new Promise<void>((resolve) => {
        answered = resolve
        socket.write(`${head}Content-Length: ${text.length}\r\n\r\n${text}`, 'latin1')
      })
      if (begun >= started) times.push(performance.now() - begun)
    }
    socket.destroy()
  }

  await Promise.all(Array.from({ length: connections }, connection))
  const took = (performance.now() - started) / 1000
  times.sort((a, b) => a - b)
  return { perSecond: times.length / took, p99: times[Math.floor(times.length * 0.99)] }
}

export const KEY = 'esx_test_0123456789abcdef0123456789abcdef'

const HEAD = ['POST /api/segment/track HTTP/1.1', 'Host: 127.0.0.1', 'Content-Type: application/json', ''].join('\r\n')

const REST = JSON.stringify({
  timestamp: '2026-01-15T10:00:00.000Z',
  context: {
    library: { name: 'analytics.js', version: '2.1.0' },
    ip: '192.0.2.1',
    locale: 'en-US',
    timezone: 'Europe/Paris'
  },
  traits: { firstName: 'Morgan', lastName: 'Lee', plan: 'pro', notes: 'x'.repeat(620) }
}).slice(1)

/** An identify of about one kilobyte, as JSON, made in no time. */
export function kilobyteEvent(n: number): string {
  return `{"type":"identify","messageId":"${randomUUID()}","userId":"user_${n}","email":"user${n}@acme.com",${REST}`
}
