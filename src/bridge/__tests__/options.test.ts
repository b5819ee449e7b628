import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { BridgeOptions } from '../options'
import { checkOptions, describedOptions } from '../options'
import { DEFAULT_LIMITS } from '../queue/queue'

describe('the options', () => {
  it('have defaults', () =>
    expect(checkOptions({})).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      allowHost: [],
      store: 'emailsendx-bridge.db',
      apiUrl: 'https://emailsendx.com',
      maxBytes: 10e9,
      maxPartitionBytes: 2e9,
      maxEventBytes: 32_000,
      maxAge: 7 * 24 * 3_600_000,
      wait: 3_600_000,
      logLevel: 'info'
    }))

  it('and the queue has the same where it is opened without a bridge', () => {
    const { maxBytes, maxPartitionBytes, maxAge, dedupe, keepDeadLetters, forgetAfter } = checkOptions({})
    expect(DEFAULT_LIMITS).toMatchObject({
      maxBytes,
      maxPartitionBytes,
      maxAgeMs: maxAge,
      dedupeMs: dedupe,
      deadLetterMs: keepDeadLetters,
      forgetAfterMs: forgetAfter
    })
  })

  it('are taken as people write them, and as code has them', () => {
    const asText = { port: '0', allowHost: 'A.example, b.example', maxBytes: '500mb', wait: '1.5h', trustProxy: 'true' }
    const asCode = { port: 0, allowHost: ['a.example', 'b.example'], maxBytes: 5e8, wait: 5_400_000, trustProxy: true }
    expect(checkOptions(asText)).toEqual(checkOptions(asCode))
  })

  it.each<[BridgeOptions, string]>([
    [{ port: 'eighty' }, "the bridge's option port must be a whole number from 0 to 65535"],
    [{ port: 1.5 }, "the bridge's option port must be a whole number"],
    [{ wait: '1 hour' }, "the bridge's option wait must be a duration such as 90s, 30m, 1h or 7d"],
    [{ wait: 0 }, "the bridge's option wait must be more than 0"],
    [{ maxBytes: 'all' }, "the bridge's option maxBytes must be a size such as 500MB or 10GB"],
    [{ maxEventBytes: '2MB' }, "the bridge's option maxEventBytes must be at most 1000000 bytes"],
    [{ trustProxy: 'perhaps' }, "the bridge's option trustProxy must be true or false"],
    [{ apiUrl: 'http://emailsendx.com' }, "the bridge's option apiUrl must be an https:// address"],
    [{ sharedSecret: '' }, "the bridge's option sharedSecret is empty"],
    [
      { onUnknownOutcome: 'guess' as 'resend' },
      "the bridge's option onUnknownOutcome must be one of resend, dead-letter"
    ],
    [{ stoer: 'x' } as object, 'Unrecognized key: "stoer"']
  ])('%j are refused in words', (options, words) => expect(() => checkOptions(options)).toThrow(words))

  it('stand in the docs as the code has them', () => {
    const docs = readFileSync(path.join(__dirname, '../../../docs/bridge.md'), 'utf8')
    const rows = docs.split('\n').flatMap((line) => {
      const cells = line.split('|').map((cell) => cell.trim())
      return cells.some((cell) => /^`BRIDGE_/.test(cell)) ? [cells.slice(1, -1)] : []
    })
    const code = (text?: string) => (text === undefined ? '' : `\`${text}\``)
    expect(rows).toEqual(
      describedOptions.map(({ flag, variable, standard, description }) => [
        code(flag),
        code(variable),
        code(standard),
        description
      ])
    )
  })
})
