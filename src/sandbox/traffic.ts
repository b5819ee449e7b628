import type { Happenings } from './happenings'
import { maskKey, type ApiKey } from './keys'

/** How often one route was called and what it answered; `dropped` counts connections closed without an answer. */
interface RouteTraffic {
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
const MAXIMUM_PATH_TOLD = 300

/** Counts and tells the requests, since the start or the last reset. */
export class Traffic {
  private readonly routes = new Map<string, RouteTraffic>()

  constructor(private readonly happenings: Happenings) {}

  note({ route, url, status, key, faultId }: AnsweredRequest): void {
    const traffic = this.routes.get(route) ?? { route, count: 0, answers: {} }
    traffic.count += 1
    traffic.answers[status] = (traffic.answers[status] ?? 0) + 1
    this.routes.set(route, traffic)
    const path = url.slice(0, MAXIMUM_PATH_TOLD)
    this.happenings.tell({ type: 'request', route, path, status, key: key && maskKey(key.key), faultId })
  }

  /** Most called first. */
  byRoute(): RouteTraffic[] {
    return [...this.routes.values()].sort((a, b) => b.count - a.count)
  }

  clear(): void {
    this.routes.clear()
  }
}
