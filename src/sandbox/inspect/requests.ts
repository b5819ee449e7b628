import { maskKey, type ApiKey } from '../resources/keys'
import type { EventStream } from './stream'

/** How often one route was called and what it answered; `dropped` counts connections closed without an answer. */
export interface RouteCount {
  route: string
  count: number
  answers: Record<string, number>
}

interface AnsweredRequest {
  /** Method and path pattern. */
  route: string
  /** Path and query as they came. */
  url: string
  status: number | 'dropped'
  key?: ApiKey
  faultId?: string
}

/** Listeners of the stream see at most this much of a request's path and query. */
const MAX_PATH = 300

/** Counts requests by route, since the start or the last reset, and emits each. */
export class RequestLog {
  private readonly routes = new Map<string, RouteCount>()

  constructor(private readonly stream: EventStream) {}

  add({ route, url, status, key, faultId }: AnsweredRequest): void {
    const counts = this.routes.get(route) ?? { route, count: 0, answers: {} }
    counts.count += 1
    counts.answers[status] = (counts.answers[status] ?? 0) + 1
    this.routes.set(route, counts)
    this.stream.emit({
      type: 'request',
      route,
      path: url.slice(0, MAX_PATH),
      status,
      key: key && maskKey(key.key),
      faultId
    })
  }

  /** Most called first. */
  byRoute(): RouteCount[] {
    return [...this.routes.values()].sort((a, b) => b.count - a.count)
  }

  clear(): void {
    this.routes.clear()
  }
}
