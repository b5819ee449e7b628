import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { clock, visible } from '../model/words'

/** A value of the API in one line. */
export const inWords = (value: unknown): string =>
  visible(typeof value === 'string' ? value : JSON.stringify(value) ?? '')

/** It keeps its direction to itself, whatever is in it. */
export const Value = ({ value }: { value: unknown }) => <bdi>{inWords(value)}</bdi>

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="quiet empty">{children}</p>
}

/** The API's times are in whole seconds. */
const openedAt = Math.floor(Date.now() / 1000) * 1000

/** Whether something happened since the page was opened, and is to be pointed out as it appears. */
export const isFresh = (time: string): boolean => Date.parse(time) >= openedAt

/** The time of day of an ISO time. */
export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{clock(Date.parse(at))}</time>
}

interface TextButtonProps {
  act: () => unknown
  disabled?: boolean
  children: ComponentChildren
}

/** A button that looks like a link. */
export function TextButton({ act, disabled, children }: TextButtonProps) {
  return (
    <button type="button" class="link" disabled={disabled} onClick={act}>
      {children}
    </button>
  )
}

interface RadiosProps<Value> {
  /** Of the group, unlike any other on the page. */
  name: string
  choices: readonly (readonly [value: Value, label: string])[]
  /** Undefined where none of them is. */
  chosen: Value | undefined
  choose: (value: Value) => unknown
}

/** Some choices of which one is taken. */
export function Radios<Value>({ name, choices, chosen, choose }: RadiosProps<Value>) {
  return choices.map(([value, label]) => (
    <label key={String(value)}>
      <input type="radio" name={name} checked={value === chosen} onChange={() => choose(value)} />
      <span>{label}</span>
    </label>
  ))
}

/** What a select offers. */
export function Options({ choices }: { choices: readonly (readonly [value: string | number, label: string])[] }) {
  return choices.map(([value, label]) => (
    <option key={value} value={value}>
      {label}
    </option>
  ))
}

/** For what can't be taken back: it asks, and a second press means yes. */
export function Confirmed({ label, question, act }: { label: string; question: string; act: () => void }) {
  const [isAsking, setAsking] = useState(false)
  const press = () => {
    if (isAsking) act()
    setAsking(!isAsking)
  }
  return (
    <button type="button" class={isAsking ? 'link bad' : 'link'} onClick={press} onBlur={() => setAsking(false)}>
      {isAsking ? question : label}
    </button>
  )
}
