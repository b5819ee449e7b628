import type { Action, Contestant } from './contestants'
import { emailOf, identify, track, type Event } from './events'
import type { Network } from './network'

export const EVENTS = 1000
export const ROUNDS = 21
/** Segment's processes run for long, so what is measured is compiled code. A forced collection of garbage would throw it away. */
const WARM_UPS = 8
/** Of the batch in which one row is bad, and of each of the two batches around the 429. */
const MAX_FAULT_ROWS = 100

export type Way = 'single' | 'batch'
export type Call = 'identify' | 'track'

export interface Figure {
  contestant: string
  call: Call
  way: Way
  /** For 1,000 events. */
  requests: number
  /** Microseconds of CPU for each event, the median of all rounds. */
  cpuMicros: number
}

/** How many rows had which result. */
export interface FaultReport {
  contestant: string
  fault: 'one bad row' | '429 half-way'
  results: Record<string, number>
}

interface Runner {
  executeAction(key: string, input: object): Promise<unknown>
  executeBatch(key: string, input: object): Promise<{ status: number }[]>
}
interface Core {
  Destination: new (definition: object) => Runner
  defaultValues: (fields: object) => object
}

const MAKE = { identify, track }

/** Runs all contestants in turn, in another order each round, and takes the median of each. */
export async function measure(all: Contestant[], core: Core, network: Network): Promise<Figure[]> {
  const entries = all.flatMap((contestant) =>
    (['identify', 'track'] as const).flatMap((call) => {
      const action = contestant[call]
      if (!action) return []
      const ways: Way[] = action.rows === undefined ? ['single'] : ['single', 'batch']
      return ways.map((way) => ({ contestant, call, way, action, cpu: [] as number[], requests: 0 }))
    })
  )
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    const start = Math.abs(round * 5) % entries.length
    for (const entry of [...entries.slice(start), ...entries.slice(0, start)]) {
      const { contestant, call, way, action } = entry
      network.answer = contestant.answer
      network.requests = 0
      const people = contestant.isKnown ? 'known' : `${call}-${way}-${round + WARM_UPS}`
      const events = Array.from({ length: EVENTS }, (_, index) => MAKE[call](index, people))
      const before = process.cpuUsage()
      await deliver(contestant, core, action, way, events)
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) entry.cpu.push((user + system) / EVENTS)
      entry.requests = network.requests
    }
  }
  return entries.map(({ contestant, call, way, cpu, requests }) => ({
    contestant: contestant.name,
    call,
    way,
    requests,
    cpuMicros: Math.round(median(cpu) * 10) / 10
  }))
}

async function deliver({ definition, settings }: Contestant, core: Core, action: Action, way: Way, events: Event[]) {
  const runner = new core.Destination(definition)
  const mapping = { ...core.defaultValues(definition.actions[action.key].fields), ...action.mapping }
  if (way === 'single') {
    for (const event of events) await runner.executeAction(action.key, { event, mapping, settings })
    return
  }
  const { rows = EVENTS } = action
  for (let start = 0; start < events.length; start += rows) {
    await runner.executeBatch(action.key, { events: events.slice(start, start + rows), mapping, settings })
  }
}

/**
 * What each reports of identifies when the API refuses every request that holds one certain row, and when the API answers 429 from
 * the second of two batches on. Who does not batch gets the rows one by one.
 */
export async function meetFaults(all: Contestant[], core: Core, network: Network): Promise<FaultReport[]> {
  const reports: FaultReport[] = []
  for (const contestant of all.filter(({ isKnown }) => !isKnown)) {
    const bad = emailOf(7, 'bad')
    network.answer = async (sent) =>
      (await sent.text()).includes(bad) ? { status: 400, body: { error: 'Invalid contact' } } : contestant.answer(sent)
    reports.push({ contestant: contestant.name, fault: 'one bad row', results: await tally(contestant, core, ['bad']) })

    const firstOfSecond = emailOf(0, 'second')
    let isOver = false
    network.answer = async (sent) => {
      isOver ||= (await sent.text()).includes(firstOfSecond)
      return isOver ? { status: 429, body: { error: 'Rate limit exceeded' } } : contestant.answer(sent)
    }
    const results = await tally(contestant, core, ['first', 'second'])
    reports.push({ contestant: contestant.name, fault: '429 half-way', results })
  }
  return reports
}

/** Delivers a batch for each run and counts the rows by status. What is thrown is the result of all its rows. */
async function tally({ definition, settings, identify: action }: Contestant, core: Core, runs: string[]) {
  const runner = new core.Destination(definition)
  const mapping = { ...core.defaultValues(definition.actions[action.key].fields), ...action.mapping }
  const statuses: number[] = []
  for (const run of runs) {
    const events = Array.from({ length: MAX_FAULT_ROWS }, (_, index) => identify(index, run))
    if (action.rows === undefined) {
      for (const event of events) {
        statuses.push(await runner.executeAction(action.key, { event, mapping, settings }).then(() => 200, statusOf))
      }
    } else {
      const rows = await runner
        .executeBatch(action.key, { events, mapping, settings })
        .catch((error: unknown) => events.map(() => ({ status: statusOf(error) })))
      statuses.push(...rows.map(({ status }) => status))
    }
  }
  return statuses.reduce<Record<string, number>>(
    (counts, status) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }),
    {}
  )
}

function statusOf(error: unknown): number {
  const { status, response } = error as { status?: number; response?: { status?: number } }
  return status ?? response?.status ?? 500
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
