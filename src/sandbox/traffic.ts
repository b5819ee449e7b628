/** How often one route was called and what it answered; `dropped` counts connections closed without an answer. */
export interface RouteTraffic {
  route: string
  count: number
  answers: Record<string, number>
}

/** Counts the API's requests by route, since the start or the last reset. */
export class Traffic {
  private readonly routes = new Map<string, RouteTraffic>()

  count(route: string, answer: number | 'dropped'): void {
    const traffic = this.routes.get(route) ?? { route, count: 0, answers: {} }
    traffic.count += 1
    traffic.answers[answer] = (traffic.answers[answer] ?? 0) + 1
    this.routes.set(route, traffic)
  }

  /** Most called first. */
  byRoute(): RouteTraffic[] {
    return [...this.routes.values()].sort((a, b) => b.count - a.count)
  }

  clear(): void {
    this.routes.clear()
  }
}
