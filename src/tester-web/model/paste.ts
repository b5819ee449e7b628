import { isObject, jsonOf } from '../../http/json'
import type { Event } from './events'
import { Literals } from './literal'

/** Events in a form other than JSON, and what it was. */
export interface Pasted {
  events: Event[]
  what: string
}

/**
 * Reads what people have at hand: calls of analytics.js or a server library, a request of an SDK (`{"batch": […]}`), one event a
 * line, or curl lines. Undefined where it is none of them, JSON of its own included.
 * @throws Error that says what cannot be read
 */
export function readPasted(text: string): Pasted | undefined {
  const trimmed = text.trim()
  if (/^(await\s+)?\w*analytics\w*\s*\.\s*\w+\s*\(/i.test(trimmed))
    return { events: calls(trimmed), what: 'calls of analytics' }
  if (/^(\$\s*)?curl\s/.test(trimmed)) return { events: curlLines(trimmed), what: 'curl lines' }
  const whole = jsonOf(trimmed)
  if (isObject(whole) && Array.isArray(whole.batch))
    return { events: whole.batch.filter(isObject), what: 'the batch of a request' }
  if (whole !== undefined) return undefined
  const lines = trimmed.split('\n').filter((line) => line.trim() !== '')
  const events = lines.map(jsonOf)
  return lines.length > 1 && events.every(isObject) ? { events, what: 'one event a line' } : undefined
}

function calls(text: string): Event[] {
  const events: Event[] = []
  const literals = new Literals(text)
  const call = /\w*analytics\w*\s*\.\s*(identify|track|page|screen|group|alias)\s*\(/gi
  for (let found = call.exec(text); found; found = call.exec(text)) {
    const { values, end } = literals.args(call.lastIndex)
    call.lastIndex = end
    events.push(
      eventOf(
        found[1].toLowerCase(),
        values.filter((value) => value !== undefined)
      )
    )
  }
  if (events.length === 0) throw new Error('there is no identify or track in it')
  return events
}

/** `(userId, traits)` and `(name, properties)` in browsers; `({ userId, event, … })` on servers. */
function eventOf(type: string, [first, second, options]: unknown[]): Event {
  if (isObject(first) && ('userId' in first || 'anonymousId' in first || 'event' in first)) return { type, ...first }
  const rest = isObject(options) ? options : {}
  if (type === 'identify') {
    return typeof first === 'string' || typeof first === 'number'
      ? { type, userId: String(first), traits: second ?? {}, ...rest }
      : { type, traits: first ?? {}, ...rest }
  }
  if (type === 'track') return { type, event: first, properties: second ?? {}, ...rest }
  return { type, name: first, properties: second ?? {}, ...rest }
}

function curlLines(text: string): Event[] {
  return text
    .replace(/\\\r?\n/g, ' ')
    .split(/^(?:\$\s*)?curl\s/m)
    .slice(1)
    .flatMap((line) => {
      const words = shellWords(line)
      const data = words.find((_, at) => /^(-d|--data|--data-raw|--data-binary|--json)$/.test(words[at - 1] ?? ''))
      const body = data === undefined ? undefined : jsonOf(data)
      if (!isObject(body)) throw new Error('a curl line has no JSON in -d')
      const inside = [body.batch, body.payload].find((one) => isObject(one) || Array.isArray(one)) ?? body
      const [, type] =
        words.map((word) => /\/v1\/(identify|track|page|screen|group|alias)$/.exec(word)).find(Boolean) ?? []
      return (Array.isArray(inside) ? inside : [inside])
        .filter(isObject)
        .map((event) => (type ? { type, ...event } : event))
    })
}

/** The words of a shell line: quotes of both kinds and backslashes; nothing is expanded. */
function shellWords(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+/gs) ?? []
  return words.map((word) =>
    word.replace(
      /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
      (_, plain?: string, quoted?: string, escaped?: string) =>
        plain ?? quoted?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? ''
    )
  )
}
