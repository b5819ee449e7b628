import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { startBridge } from '..'

const root = path.join(__dirname, '../../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[]
}

/** What promtool tries the rules with. */
interface Trials {
  tests: {
    input_series: { series: string }[]
    alert_rule_test: { alertname: string; exp_alerts: unknown[] }[]
  }[]
}

const rules = (parse(read('deploy/alerts.yml')) as Rules).groups.flatMap((group) => group.rules)
const { tests: trials } = parse(read('deploy/alerts.test.yml')) as Trials

describe('the rules for Prometheus', () => {
  it('ask for metrics that a running bridge has, and are tried with these', async () => {
    const bridge = await startBridge({ port: 0, store: ':memory:', logLevel: 'silent' })
    await fetch(`${bridge.url}/api/segment/track`, { method: 'POST' })
    const text = await (await fetch(`${bridge.url}/metrics`)).text()
    await bridge.close()
    const asked = rules.flatMap(({ expr }) => expr.match(/bridge_\w+/g) ?? [])
    expect(asked.length).toBeGreaterThanOrEqual(rules.length)
    for (const name of asked) expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'))
    for (const { series } of trials.flatMap(({ input_series }) => input_series)) {
      const [name, ...labels] = series.match(/\w+(?==)|^\w+/g) ?? []
      const [sample] = new RegExp(`^${name}[ {].*`, 'm').exec(text) ?? []
      expect(sample).toBeDefined()
      for (const label of labels) if (label !== 'job') expect(sample).toContain(`${label}="`)
    }
  })

  it('are each tried: silent while all is well, and fired', () => {
    const [well, ...others] = trials
    const names = rules.map(({ alert }) => alert)
    expect(well.alert_rule_test.map(({ alertname }) => alertname)).toEqual(names)
    expect(well.alert_rule_test.flatMap(({ exp_alerts }) => exp_alerts)).toEqual([])
    const fired = others.flatMap(({ alert_rule_test }) => alert_rule_test.filter((one) => one.exp_alerts.length > 0))
    expect(fired.map(({ alertname }) => alertname)).toEqual(names)
  })

  it('stand in the docs, each with what to do', () => {
    const docs = read('docs/operating.md')
    for (const { alert, annotations } of rules) {
      expect(docs).toContain(`| \`${alert}\``)
      expect(annotations.summary).not.toBe('')
    }
  })

  if (spawnSync('promtool', ['--version']).error === undefined) {
    it('do what their trials say, by promtool, which is installed here', () => {
      for (const args of [
        ['check', 'rules', 'deploy/alerts.yml'],
        ['test', 'rules', 'deploy/alerts.test.yml']
      ]) {
        const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: root, encoding: 'utf8' })
        expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' })
      }
    })
  }
})
