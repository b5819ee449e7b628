import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'

/*
 * Writes a history as Segment keeps it, for the bench and for trying `bin/run replay`: of a hundred events 62 are track, 18
 * page, 20 identify, of five events a person. `tsx bench/replay-history.ts FILE.gz [LINES]`
 */

const AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
const START = Date.UTC(2024, 0, 1)

export function historyLine(index: number, people: number): string {
  const person = (Math.imul(index, 2654435761) >>> 0) % people
  const kind = index % 50
  const timestamp = new Date(START + index * 60_000).toISOString()
  const page = { path: '/pricing', referrer: '', search: '', title: 'Pricing', url: 'https://www.example.com/pricing' }
  const event = {
    anonymousId: `a0f3c1d2-0000-4000-8000-${String(person).padStart(12, '0')}`,
    context: {
      ip: '203.0.113.7',
      library: { name: 'analytics.js', version: 'next-1.70.0' },
      locale: 'en-US',
      page,
      userAgent: AGENT
    },
    integrations: {},
    messageId: `ajs-next-1704067200000-${index}`,
    originalTimestamp: timestamp,
    receivedAt: timestamp,
    sentAt: timestamp,
    timestamp,
    type: kind < 10 ? 'identify' : kind < 19 ? 'page' : 'track',
    userId: `user_${person}`
  }
  if (kind < 10) {
    const traits = {
      email: `user_${person}@example.com`,
      firstName: 'Morgan',
      lastName: 'Lee',
      plan: 'pro',
      visits: index
    }
    return JSON.stringify({ ...event, traits })
  }
  if (kind < 19) return JSON.stringify({ ...event, name: 'Pricing', properties: page })
  const properties = { orderId: `ord_${index}`, amount: 99, currency: 'USD', items: ['Pro Plan - Annual'] }
  return JSON.stringify({ ...event, event: 'Purchase Completed', properties })
}

/** The one of them that is the so manieth identify. */
export const identifyIndex = (n: number): number => Math.floor(n / 10) * 50 + (n % 10)

/** Writes so many lines, gzipped. @param indexOf which of the history's lines is the nth */
export async function writeHistory(file: string, lines: number, indexOf = (n: number) => n): Promise<void> {
  const people = Math.ceil(lines / 5) + 1
  function* portions() {
    for (let start = 0; start < lines; start += 1000) {
      const length = Math.min(1000, lines - start)
      const portion = Array.from({ length }, (_, n) => historyLine(indexOf(start + n), people))
      yield `${portion.join('\n')}\n`
    }
  }
  await pipeline(Readable.from(portions()), createGzip({ level: 6 }), createWriteStream(file))
}

if (require.main === module) void writeHistory(process.argv[2], Number(process.argv[3] ?? 1_000_000))
