import { generateFql, parseFql, validate } from '@segment/destination-subscriptions'
import type { Condition, GroupCondition } from '@segment/destination-subscriptions'
import get from 'lodash/get'

/** Whether a trigger (FQL, Segment's filter language) takes an event, and if not, why. */
export interface Match {
  takes: boolean
  why?: string
}

/** What a trigger says, so that a person sees whether it is what they meant. */
export interface Understood {
  ok: boolean
  words: string
}

const EXAMPLE = 'write it like type = "track" and event = "Signed Up"'

/**
 * Reads a trigger as Segment does. Segment's parser drops what it cannot read at the end and takes any operator for a value, so
 * that `type == identify` waits for events of the type "=": what it made of a trigger is compared with what was written.
 */
export function understand(trigger: string): Understood {
  if (trigger.trim() === '') return { ok: false, words: `takes no event: ${EXAMPLE}` }
  const parsed = parseFql(trigger)
  if ('error' in parsed) return { ok: false, words: `is no trigger: ${EXAMPLE}` }
  const read = generateFql(parsed)
  const plain = (fql: string) => fql.replace(/[\s"'()\\]/g, '').toLowerCase()
  if (plain(read) !== plain(trigger)) return { ok: false, words: `is read as ${read}: ${EXAMPLE}` }
  return { ok: true, words: `takes events where ${read}` }
}

/** Decides as Segment does before it calls an action. */
export function matchTrigger(trigger: string, event: object): Match {
  const parsed = parseFql(trigger)
  if ('error' in parsed) return { takes: false, why: `the trigger is not valid: ${EXAMPLE}` }
  if (validate(parsed, event)) return { takes: true }
  const failing = parsed.operator === 'and' && parsed.children.find((child) => !validate(alone(child), event))
  if (!failing) return { takes: false, why: `none of this is so: ${generateFql(parsed)}` }
  return { takes: false, why: `it wants ${generateFql(alone(failing))}; ${seen(failing, event)}` }
}

const alone = (condition: Condition): GroupCondition => ({ type: 'group', operator: 'and', children: [condition] })

/** What the event has where the condition looks. */
function seen(condition: Condition, event: object): string {
  const path = pathOf(condition)
  if (!path) return 'that is not so here'
  const value: unknown = get(event, path)
  return value === undefined ? `here is no ${path}` : `here ${path} is ${JSON.stringify(value)}`
}

function pathOf(condition: Condition): string | undefined {
  switch (condition.type) {
    case 'event-type':
      return 'type'
    case 'event':
    case 'name':
    case 'userId':
      return condition.type
    case 'event-property':
      return `properties.${condition.name}`
    case 'event-trait':
      return `traits.${condition.name}`
    case 'event-context':
      return `context.${condition.name}`
    case 'group':
      return undefined
  }
}
