/** What the stream tells. Deliberately small: `GET /_sandbox/state` has the whole of it. `at` is in milliseconds. */
export type Happening =
  | { type: 'contact'; at: number; change: 'created' | 'updated'; id: string; email: string }
  | { type: 'list'; at: number; id: string }
  | { type: 'membership'; at: number; listId: string; contactId: string; email: string }
  | { type: 'event'; at: number; id: string; contactId: string; email: string; matchingAutomations: number }
  | { type: 'automation-run'; at: number; id: string; automationId: string; contactId: string; email: string }
  | {
      type: 'request'
      at: number
      method: string
      route: string
      status: number | 'dropped'
      key?: string
      faultId?: string
    }
  | { type: 'reset'; at: number }

type HappeningWithoutTime = Happening extends infer One ? (One extends Happening ? Omit<One, 'at'> : never) : never

/** Tells listeners what happened, at once and in order. */
export class Happenings {
  private readonly listeners = new Set<(happening: Happening) => void>()

  constructor(private readonly now: () => number) {}

  tell(what: HappeningWithoutTime): void {
    const happening = { ...what, at: this.now() } as Happening
    for (const listener of this.listeners) listener(happening)
  }

  /** @returns a function that ends the listening */
  listen(listener: (happening: Happening) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
}
