import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'

interface Tab<Name extends string> {
  name: Name
  label: ComponentChildren
}

interface TabsProps<Name extends string> {
  /** Names the row for screen readers, and makes the ids unique. */
  label: string
  tabs: Tab<Name>[]
  current: Name
  choose: (name: Name) => void
  children: ComponentChildren
}

/** A row of tabs and the panel of the current one. Arrow keys, Home and End move as everywhere. */
export function Tabs<Name extends string>({ label, tabs, current, choose, children }: TabsProps<Name>) {
  const row = useRef<HTMLDivElement>(null)
  const id = (name: string) => `${label}-${name}`.replace(/\W+/g, '-')
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ name }) => name === current)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const { name } = tabs[(to + tabs.length) % tabs.length]
    choose(name)
    row.current?.querySelector<HTMLElement>(`#${id(name)}`)?.focus()
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={row} onKeyDown={move}>
        {tabs.map(({ name, label }) => (
          <button
            key={name}
            id={id(name)}
            type="button"
            role="tab"
            aria-selected={name === current}
            aria-controls={`${id(name)}-panel`}
            tabIndex={name === current ? 0 : -1}
            onClick={() => choose(name)}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="panel" role="tabpanel" id={`${id(current)}-panel`} aria-labelledby={id(current)}>
        {children}
      </div>
    </>
  )
}
