import { z } from 'zod'
import { newId } from '../db/values'
import { METHODS } from '../request'
import type { ApiKey } from '../resources/keys'

/** Longest delay a fault may cause. */
const MAX_DELAY_MS = 600_000

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'is no header name' })
  .refine((name) => !/^(content-length|transfer-encoding)$/i.test(name), { error: 'cannot be set by a fault' })
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, { error: 'must be printable ASCII' })

/** How many requests meet the fault; `always`: until it is removed. */
const times = z.union([z.int().min(1).max(1_000_000), z.literal('always')], {
  error: 'must be an integer from 1 or "always"'
})

/** Which requests a fault waits for (whatever is absent matches everything), and when it is injected. */
const onRequests = {
  times: times.default(1),
  method: z.enum(METHODS).optional(),
  /** Path without query. `*` stands for one segment, a last `**` for the rest. */
  path: z
    .string()
    .regex(/^\/api\/[^?]*$/, {
      error: 'must start with /api/ and have no query, e.g. /api/v1/contacts/*/events'
    })
    .optional(),
  /** A key, or the id of one. */
  key: z.string().min(1).optional(),
  delayMs: z.int().min(0).max(MAX_DELAY_MS).default(0),
  /** Carry the request out first; only its answer goes wrong. */
  applied: z.boolean().default(false)
}

const KINDS = ['status', 'garbage', 'drop', 'delay', 'refuse-contact'] as const

/** What `POST /_sandbox/faults` takes. */
export const faultSpec = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('status'),
      ...onRequests,
      status: z.int().min(200).max(599),
      /** A string is sent as HTML, anything else as JSON; absent: `{"error"}` with the documented words. */
      body: z.unknown().optional(),
      headers: z.record(headerName, headerValue).default({})
    }),
    /** A body that says it is JSON and is not. */
    z.strictObject({ kind: z.literal('garbage'), ...onRequests, status: z.int().min(200).max(599).default(200) }),
    /** The connection is cut without an answer. */
    z.strictObject({ kind: z.literal('drop'), ...onRequests }),
    z.strictObject({ kind: z.literal('delay'), ...onRequests, delayMs: onRequests.delayMs.unwrap().min(1) }),
    /** Rows with this email fail in upserts. */
    z.strictObject({
      kind: z.literal('refuse-contact'),
      times: times.default('always'),
      email: z.string().trim().toLowerCase().min(1),
      message: z.string().min(1).default('email is refused')
    })
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? `must be one of ${KINDS.join(', ')}` : undefined) }
)
type FaultSpec = z.output<typeof faultSpec>

/** `times` counts down. */
type Fault = FaultSpec & { id: string }
export type AnswerFault = Exclude<Fault, { kind: 'refuse-contact' }>

/** What of a request is compared. */
interface Target {
  method: string
  path: string
  key?: ApiKey
}

/** The faults that wait for their requests, oldest first. */
export class Faults {
  private waiting: Fault[] = []

  add(spec: FaultSpec): Fault {
    const fault = { ...spec, id: newId() }
    this.waiting.push(fault)
    return fault
  }

  list(): readonly Fault[] {
    return this.waiting
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    const before = this.waiting.length
    this.waiting = this.waiting.filter((fault) => fault.id !== id)
    return this.waiting.length < before
  }

  clear(): void {
    this.waiting = []
  }

  /** The first fault that this request meets, used up by one. */
  take(target: Target): AnswerFault | undefined {
    const fault = this.waiting.find((one): one is AnswerFault => one.kind !== 'refuse-contact' && matches(one, target))
    if (fault) this.useUp(fault)
    return fault
  }

  /** Why a contact with this email is refused, if it is; used up by one. */
  refusal(email: string): string | undefined {
    for (const fault of this.waiting) {
      if (fault.kind !== 'refuse-contact' || fault.email !== email) continue
      this.useUp(fault)
      return fault.message
    }
    return undefined
  }

  private useUp(fault: Fault): void {
    if (fault.times === 'always') return
    fault.times -= 1
    if (fault.times === 0) this.remove(fault.id)
  }
}

function matches(fault: AnswerFault, { method, path, key }: Target): boolean {
  if (fault.method !== undefined && fault.method !== method) return false
  if (fault.key !== undefined && fault.key !== key?.key && fault.key !== key?.id) return false
  return fault.path === undefined || pathMatches(fault.path.split('/'), path.split('/'))
}

function pathMatches(pattern: string[], path: string[]): boolean {
  if (pattern.at(-1) === '**') {
    const start = pattern.slice(0, -1)
    return path.length > start.length && pathMatches(start, path.slice(0, start.length))
  }
  return pattern.length === path.length && pattern.every((segment, index) => segment === '*' || segment === path[index])
}
