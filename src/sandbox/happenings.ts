type What =
  | { type: 'contact'; change: 'created' | 'updated'; id: string; email: string }
  | { type: 'list'; id: string }
  | { type: 'membership'; listId: string; contactId: string; email: string }
  | { type: 'event'; id: string; contactId: string; email: string; matchingAutomations: number }
  | { type: 'automation-run'; id: string; automationId: string; contactId: string; email: string }
  | { type: 'request'; route: string; path: string; status: number | 'dropped'; key?: string; faultId?: string }
  | { type: 'reset' }

/** What the stream tells. Deliberately small: `GET /_sandbox/state` has the whole of it. `at` is in milliseconds. */
type Happening = What & { at: number }

/** Tells listeners what happened, at once and in order. */
export class Happenings {
  private readonly listeners = new Set<(happening: Happening) => void>()

  constructor(private readonly now: () => number) {}

  tell(what: What): void {
    const happening = { ...what, at: this.now() }
    for (const listener of this.listeners) listener(happening)
  }

  /** @returns a function that ends the listening */
  listen(listener: (happening: Happening) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
}
