import { useEffect, useRef, useState } from 'preact/hooks'
import { verdictOf } from '../model/outcome'
import type { Verdict } from '../model/outcome'
import { counted, nameOf } from '../model/words'
import { titleOf } from '../state/definition'
import { forgetResults, sendings } from '../state/results'
import type { Sending, SentDelivery } from '../state/results'
import { ExchangeView, Unanswered } from './ExchangeView'

/** What became of what was sent, newest first. */
export function ResultsPane() {
  const body = useRef<HTMLDivElement>(null)
  const newest = sendings.value[0]?.id
  useEffect(() => body.current?.scrollTo(0, 0), [newest])
  return (
    <section class="pane results" id="results" aria-labelledby="results-title">
      <header class="pane-head">
        <h3 id="results-title">Was sent</h3>
        <Summary />
        {sendings.value.length > 0 && (
          <button type="button" class="link" onClick={forgetResults}>
            Clear
          </button>
        )}
      </header>
      <div class="pane-body" ref={body}>
        {sendings.value.length === 0 && (
          <p class="quiet empty">Nothing yet. Press Send and see what becomes of the event.</p>
        )}
        {sendings.value.map((sending) => (
          <SendingView key={sending.id} sending={sending} />
        ))}
      </div>
    </section>
  )
}

const KINDS: [Verdict['kind'], string][] = [
  ['delivered', 'delivered'],
  ['retried', 'will be retried'],
  ['refused', 'refused']
]

/** The newest sending in a line, which screen readers speak. */
function Summary() {
  const [newest] = sendings.value
  return (
    <p role="status" class="quiet">
      {newest && summaryOf(newest)}
    </p>
  )
}

/** `2 delivered, 1 refused`. */
export function summaryOf(sending: Sending): string {
  if (sending.failure !== undefined) return 'not sent'
  if (sending.deliveries.some(({ outcomes }) => !outcomes)) return 'sending …'
  const kinds = sending.deliveries.flatMap((delivery) => verdicts(sending, delivery).map(({ kind }) => kind))
  const untaken = untakenOf(sending).length
  return [
    ...KINDS.map(([kind, words]) => [kinds.filter((one) => one === kind).length, words] as const),
    [untaken, 'taken by no preset'] as const
  ]
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ')
}

const verdicts = ({ events, at }: Sending, { events: positions, outcomes = [] }: SentDelivery): Verdict[] =>
  outcomes.map((row, index) => verdictOf(row, events[positions[index]], at))

const untakenOf = ({ matches }: Sending): number[] =>
  [...matches.keys()].filter((index) => Object.values(matches[index]).every(({ takes }) => !takes))

function SendingView({ sending }: { sending: Sending }) {
  const { at, events, failure, deliveries } = sending
  return (
    <article class="sending">
      <h4>
        <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time>{' '}
        {events.length > 0 && counted(events.length, 'event')}
      </h4>
      {failure !== undefined && <p class="bad">Not sent: {failure}</p>}
      {untakenOf(sending).map((index) => (
        <div class="outcome untaken" key={index}>
          <p class="outcome-head">
            <Mark kind="untaken" />
            <strong>Not sent</strong>
            <span class="quiet">{nameOf(events[index])}</span>
          </p>
          <p class="detail">No preset takes it.</p>
        </div>
      ))}
      {deliveries.map((delivery, index) => (
        <DeliveryView key={index} sending={sending} delivery={delivery} />
      ))}
    </article>
  )
}

function DeliveryView({ sending, delivery }: { sending: Sending; delivery: SentDelivery }) {
  const { action, events: positions } = delivery
  const found = verdicts(sending, delivery)
  return (
    <div class="delivery">
      {positions.map((position, index) => (
        <Outcome
          key={position}
          title={`${titleOf(action)} · ${nameOf(sending.events[position])}`}
          verdict={found[index]}
          delivery={delivery}
        />
      ))}
      <div class="exchanges">
        <Exchanges {...delivery} />
      </div>
    </div>
  )
}

function Exchanges({ exchanges, planned }: SentDelivery) {
  if (exchanges?.length) return exchanges.map((exchange, index) => <ExchangeView key={index} exchange={exchange} />)
  if (exchanges && planned.length === 0) return <p class="exchange-line quiet">No request was made.</p>
  // Without any answer, the first of the requests is the one that met with silence.
  return (exchanges ? planned.slice(0, 1) : planned).map((request, index) => (
    <Unanswered key={index} request={request} words={exchanges ? 'no answer' : '…'} />
  ))
}

function Outcome({ title, verdict, delivery }: { title: string; verdict?: Verdict; delivery: SentDelivery }) {
  return (
    <div class={`outcome ${verdict?.kind ?? 'waiting'}`}>
      <p class="outcome-head">
        <Mark kind={verdict?.kind ?? 'waiting'} />
        <strong>{verdict?.headline ?? 'On its way'}</strong>
        <span class="quiet">{title}</span>
      </p>
      <p class="detail">{verdict ? verdict.detail : <Waiting since={delivery.startedAt} />}</p>
    </div>
  )
}

const MARKS: Record<string, string> = { delivered: '✓', retried: '↻', refused: '✕', untaken: '–', waiting: '…' }

function Mark({ kind }: { kind: string }) {
  return (
    <span class={`mark ${kind}`} aria-hidden="true">
      {MARKS[kind]}
    </span>
  )
}

/** Seconds of waiting, for an answer that does not come at once. */
function Waiting({ since }: { since?: number }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  if (since === undefined) return <>Waits for its turn.</>
  const seconds = Math.floor((now - since) / 1_000)
  return <>{seconds < 1 ? 'Waiting for EmailSendX …' : `Waiting for EmailSendX for ${seconds} s; it has 30 s …`}</>
}
