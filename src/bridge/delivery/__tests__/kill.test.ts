import { freshSchema, sqliteFiles } from '../../queue/__tests__/__helpers__/stores'
import { Oracle } from './__helpers__/oracle'
import type { Findings, OracleOptions } from './__helpers__/oracle'

jest.setTimeout(60_000)

const PARTITIONS = 3
const { fresh } = sqliteFiles()

async function killed(times: number, options: OracleOptions): Promise<Findings> {
  const oracle = await Oracle.start({ partitions: PARTITIONS, usersPerPartition: 2, ...options })
  try {
    for (let kill = 0; kill < times; kill++) {
      await oracle.acknowledges(20)
      // At once: what was acknowledged too early is lost now.
      await oracle.kill()
    }
    return await oracle.findings()
  } finally {
    await oracle.close()
  }
}

describe('what a bridge has acknowledged is delivered or a dead letter, in order, whenever it is killed', () => {
  it('on SQLite', async () => {
    const { lost, disordered, doubled, kills, deadLetters, acknowledged } = await killed(2, { store: await fresh() })
    expect({ lost, disordered, deadLetters }).toEqual({ lost: [], disordered: [], deadLetters: 0 })
    expect(doubled.length).toBeLessThanOrEqual(kills * PARTITIONS)
    expect(acknowledged).toBeGreaterThanOrEqual(40)
  })

  it('on one SQLite file, two bridges at once, firing nothing twice when told so', async () => {
    const options = { store: await fresh(), processes: 2, onUnknownOutcome: 'dead-letter' } as const
    const { lost, disordered, doubled, kills, deadLetters } = await killed(1, options)
    expect({ lost, disordered, doubled }).toEqual({ lost: [], disordered: [], doubled: [] })
    expect(deadLetters).toBeLessThanOrEqual(kills * PARTITIONS)
  })

  it('on Postgres, two bridges at once', async () => {
    const options = { store: await freshSchema(), processes: 2 }
    const { lost, disordered, doubled, kills, deadLetters } = await killed(1, options)
    expect({ lost, disordered, deadLetters }).toEqual({ lost: [], disordered: [], deadLetters: 0 })
    expect(doubled.length).toBeLessThanOrEqual(kills * PARTITIONS)
  })
})
