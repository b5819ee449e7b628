import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { Memory } from '../ingest/memory'
import { createMetrics } from '../metrics'
import { openQueue } from '../queue'

const root = path.join(__dirname, '../../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

interface Rule {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string }
}

const { groups } = parse(read('deploy/alerts.yml')) as { groups: { name: string; rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

describe('the rules for Prometheus', () => {
  it('ask for metrics that the bridge has', async () => {
    const queue = await openQueue(':memory:')
    const text = await createMetrics(queue, new Memory()).scrape()
    await queue.close()
    const asked = rules.flatMap(({ expr }) => expr.match(/bridge_\w+/g) ?? [])
    expect(asked.length).toBeGreaterThanOrEqual(rules.length)
    for (const name of asked) expect(text).toMatch(new RegExp(`^# TYPE ${name} `, 'm'))
  })

  it('stand in the docs, each with what to do', () => {
    const docs = read('docs/operating.md')
    for (const { alert, annotations } of rules) {
      expect(docs).toContain(`\`${alert}\``)
      expect(annotations.summary).not.toBe('')
    }
  })
})
