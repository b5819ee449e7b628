import { hoursFor } from '../replay/plan'
import type { Plan, Reason } from '../replay/plan'
import type { Report } from '../replay/report'
import { printable } from './table'

const MAX_LINES = 20
const MAX_PLACES = 3

/** The plan for people. */
export function planInWords(plan: Plan, budget: number): string {
  const { read, people, firing, undeliverable, calls } = plan
  const types = Object.entries(read.types).sort(([, one], [, other]) => other - one)
  return [
    row('Read', `${number(read.entries)} entries: ${listed(types.map(([type, count]) => `${number(count)} ${type}`))}`),
    row(
      'People',
      `${number(people)} contacts to create or update, from ${number(read.types.identify ?? 0)} identify() calls`
    ),
    row('Events', firingInWords(firing)),
    ...table(firing.names.map(({ name, count }) => [number(count), name])),
    row('Not sent', `${number(undeliverable.count)} that can't be delivered`),
    ...table(undeliverable.reasons.map(reasonInWords)),
    row('Calls', `${number(calls.total)}: ${callsInWords(calls)}`),
    row('Time', `${duration(hoursFor(calls.total, budget) * 3600)} at ${budget} calls a minute`)
  ].join('\n')
}

/** How far it has got, for people. */
export function reportInWords(report: Report): string {
  const { total, queued, delivered, waiting = 0, dead = 0, undeliverable, calls, finishedAt } = report
  const sent =
    delivered === undefined
      ? `${number(queued)} of ${number(total)} handed to the bridge`
      : `${number(delivered)} of ${number(total)} delivered, ${number(waiting)} waiting, ${number(dead)} dead`
  const made = calls.made === undefined ? '' : `${number(calls.made)} made, `
  return [
    row('State', finishedAt === undefined ? 'not finished' : `finished ${finishedAt}`),
    row('Sent', sent),
    row('Not sent', `${number(undeliverable)} that can't be delivered`),
    row('Calls', `${made}${number(calls.planned)} planned`)
  ].join('\n')
}

/** One line of progress. */
export function progressInWords({ total, queued, delivered, dead, calls }: Report, { rate, seconds }: Pace): string {
  const { made } = calls
  return [
    `${number(delivered ?? queued)} of ${number(total)}`,
    ...(dead === undefined ? [] : [`${number(dead)} dead`]),
    ...(made === undefined ? [] : [`${number(Math.max(0, calls.planned - made))} calls left`]),
    `${number(Math.round(rate))}/min`,
    ...(seconds === undefined ? [] : [duration(seconds)])
  ].join(', ')
}

export interface Pace {
  /** Calls a minute; contacts and events where a bridge makes the calls. */
  rate: number
  /** What is left, where that can be told. */
  seconds?: number
}

function callsInWords({ key, contacts, pages, lookUps, events }: Plan['calls']): string {
  const parts = [
    [key, 'for the key'],
    [contacts, 'for contacts'],
    [pages, 'to learn the ids of contacts, if EmailSendX has no others'],
    [lookUps, 'to find contacts'],
    [events, 'for events']
  ] as const
  return listed(parts.filter(([count]) => count > 0).map(([count, what]) => `${number(count)} ${what}`))
}

function firingInWords({ since, count, people, duplicates }: Plan['firing']): string {
  if (since === undefined) return 'none are fired (--fire-events-since 2026-11-01 fires those from then on)'
  const twice = duplicates > 0 ? `, ${number(duplicates)} left out that are there twice` : ''
  const events = `${number(count)} of ${number(people)} people`
  return `${events} are fired, from ${since} on${twice}. They start the automations that wait for:`
}

function reasonInWords({ reason, count, places }: Reason): string[] {
  const more = count > MAX_PLACES ? ', …' : ''
  return [number(count), `${reason}: ${places.slice(0, MAX_PLACES).join(', ')}${more}`]
}

function row(name: string, text: string): string {
  return `${name.padEnd(10)}${text}`
}

function table(rows: string[][]): string[] {
  const shown = rows.slice(0, MAX_LINES)
  const width = Math.max(0, ...shown.map(([count]) => count.length))
  const lines = shown.map(([count, text]) => row('', `${count.padStart(width)}  ${printable(text)}`))
  return rows.length > MAX_LINES
    ? [...lines, row('', `and ${rows.length - MAX_LINES} more (--json lists them)`)]
    : lines
}

function listed(parts: string[]): string {
  return parts.length === 0 ? 'no events' : parts.join(', ')
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}

/** `3 hours 5 minutes`, in the two largest units. */
export function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  if (seconds < 60) return counted(Math.ceil(seconds), 'second')
  if (minutes < 60) return counted(minutes, 'minute')
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${counted(hours, 'hour')} ${counted(minutes % 60, 'minute')}`
  return `${counted(Math.floor(hours / 24), 'day')} ${counted(hours % 24, 'hour')}`
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
