import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Oracle, pause } from '../src/bridge/delivery/__tests__/__helpers__/oracle'
import type { Findings, OracleOptions } from '../src/bridge/delivery/__tests__/__helpers__/oracle'
import { PostgresServer } from '../src/bridge/queue/__tests__/__helpers__/postgres'
import { soakReplays } from './soak/replay'

/*
 * `npm run soak [-- --kills 300]`: kills bridges with SIGKILL at random moments under load, again and again, on both
 * engines, and counts what was acknowledged and did not arrive (must be nothing) and what arrived twice.
 * `npm run soak -- --replay [--kills 20]` does it to replays.
 */

const KILLS_A_ROUND = 10
const PARTITIONS = 4

const KILLS = 300
const REPLAY_KILLS = 20

const { values } = parseArgs({ options: { kills: { type: 'string' }, replay: { type: 'boolean' } } })

interface Scene {
  name: string
  options: Omit<OracleOptions, 'store'>
  store(round: number): Promise<string>
}

async function main(): Promise<void> {
  const kills = Number(values.kills ?? (values.replay ? REPLAY_KILLS : KILLS))
  if (!Number.isInteger(kills) || kills < 1) throw new Error('--kills takes a whole number from 1')
  if (values.replay) {
    if (!(await soakReplays(kills))) process.exitCode = 1
    return
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'bridge-soak-'))
  const postgres = await PostgresServer.start()
  const scenes: Scene[] = [
    { name: 'SQLite', options: {}, store: async (round) => path.join(folder, `${round}.db`) },
    {
      name: 'SQLite, unknown outcomes kept',
      options: { onUnknownOutcome: 'dead-letter' },
      store: async (round) => path.join(folder, `kept-${round}.db`)
    },
    { name: 'Postgres, 3 bridges', options: { processes: 3 }, store: () => postgres.freshSchema() }
  ]
  const sums = new Map<string, Findings>()
  try {
    for (let round = 0, done = 0; done < kills; round++, done += KILLS_A_ROUND) {
      const scene = scenes[round % scenes.length]
      const store = await scene.store(round)
      const findings = await playOut({ ...scene.options, store, partitions: PARTITIONS })
      sums.set(scene.name, add(sums.get(scene.name), findings))
      console.log(`${String(done + KILLS_A_ROUND).padStart(5)} kills  ${scene.name}: ${inWords(findings)}`)
    }
  } finally {
    await postgres.end()
    rmSync(folder, { recursive: true, force: true })
  }
  console.log('\nin all')
  for (const [name, sum] of sums) console.log(`  ${name}: ${sum.kills} kills, ${inWords(sum)}`)
  const failed = [...sums.values()].some(({ lost, disordered }) => lost.length + disordered.length > 0)
  if (failed) process.exitCode = 1
}

async function playOut(options: OracleOptions): Promise<Findings> {
  const oracle = await Oracle.start(options)
  try {
    for (let kill = 0; kill < KILLS_A_ROUND; kill++) {
      await pause(Math.random() * 1000)
      await oracle.kill()
    }
    return await oracle.findings()
  } finally {
    await oracle.close()
  }
}

function add(one: Findings | undefined, other: Findings): Findings {
  if (!one) return other
  return {
    kills: one.kills + other.kills,
    acknowledged: one.acknowledged + other.acknowledged,
    deadLetters: one.deadLetters + other.deadLetters,
    lost: [...one.lost, ...other.lost],
    doubled: [...one.doubled, ...other.doubled],
    disordered: [...one.disordered, ...other.disordered]
  }
}

function inWords({ acknowledged, lost, disordered, doubled, deadLetters }: Findings): string {
  return `${acknowledged} events acknowledged, ${lost.length} lost, ${disordered.length} out of order, ${doubled.length} fired twice, ${deadLetters} dead letters`
}

void main().catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
