import { newId } from './ids'
import type { ApiKey } from './keys'

/** Which requests a fault waits for; whatever is absent matches everything. */
export interface FaultMatch {
  method?: string
  /** Path without query. `*` stands for one segment, a last `**` for the rest. */
  path?: string
  /** A key, or the id of one. */
  key?: string
}

/**
 * What goes wrong. With `applied` the request is carried out first and only its answer is spoilt.
 * `refuse-contact` is not about answers: rows with that email fail in upserts.
 */
export type FaultEffect =
  | {
      kind: 'status'
      status: number
      body?: unknown
      headers?: Record<string, string>
      delayMs: number
      applied: boolean
    }
  | { kind: 'garbage'; status: number; delayMs: number; applied: boolean }
  | { kind: 'drop'; delayMs: number; applied: boolean }
  | { kind: 'delay'; delayMs: number; applied: boolean }
  | { kind: 'refuse-contact'; email: string; message: string }

/** How often a fault strikes; `always`: until it is removed. */
export type Times = number | 'always'

/** A fault with how many more times it will strike. */
export type Fault = FaultMatch & FaultEffect & { id: string; remaining: Times }
export type AnswerFault = Exclude<Fault, { kind: 'refuse-contact' }>

/** The faults that wait for their requests, oldest first. */
export class Faults {
  private waiting: Fault[] = []

  add(spec: FaultMatch & FaultEffect & { times: Times }): Fault {
    const { times, ...fault } = spec
    const added = { ...fault, id: newId(), remaining: times }
    this.waiting.push(added)
    return { ...added }
  }

  list(): Fault[] {
    return this.waiting.map((fault) => ({ ...fault }))
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
  strike(request: { method: string; path: string; key?: ApiKey }): AnswerFault | undefined {
    const fault = this.waiting.find(
      (fault): fault is AnswerFault => fault.kind !== 'refuse-contact' && matches(fault, request)
    )
    if (fault) this.use(fault)
    return fault
  }

  /** Why a contact with this email is to be refused, used up by one. */
  refusal(email: string): string | undefined {
    const fault = this.waiting.find((fault) => fault.kind === 'refuse-contact' && fault.email === email)
    if (fault?.kind !== 'refuse-contact') return undefined
    this.use(fault)
    return fault.message
  }

  private use(fault: Fault): void {
    if (fault.remaining === 'always') return
    fault.remaining -= 1
    if (fault.remaining === 0) this.remove(fault.id)
  }
}

function matches(fault: FaultMatch, { method, path, key }: { method: string; path: string; key?: ApiKey }): boolean {
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
