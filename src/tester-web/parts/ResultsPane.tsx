import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { meaningOf } from '../model/meaning'
import type { Meaning, Tone } from '../model/meaning'
import { clock, counted, nameOf, userOf, visible } from '../model/words'
import { titleOf } from '../state/definition'
import { asTyped, loadIntoEditor, showEvent } from '../state/inputs'
import { forget, forgetAll, isSending, sendEvents, sendings, stop, underWay } from '../state/results'
import type { Row, Sending } from '../state/results'
import { Tabs } from './Tabs'
import { RequestLog } from './RequestLog'
import { Radios, TextButton } from './pieces'

const tab = signal<'events' | 'requests'>('events')

/** What became of what was sent, newest first. */
export function ResultsPane() {
  const body = useRef<HTMLDivElement>(null)
  const newest = sendings.value[0]?.id
  useEffect(() => body.current?.scrollTo(0, 0), [newest])
  const requests = sendings.value.reduce((sum, { exchanges }) => sum + exchanges.length, 0)
  return (
    <section class="pane results" id="results" aria-labelledby="results-title">
      <header class="pane-head">
        <h3 id="results-title">Was sent</h3>
        <p role="status" class="quiet">
          {sendings.value[0] && summaryOf(sendings.value[0])}
        </p>
        {underWay.value && <TextButton act={stop}>Stop</TextButton>}
        {sendings.value.length > 0 && !underWay.value && <TextButton act={forgetAll}>Clear</TextButton>}
      </header>
      {sendings.value.length === 0 ? (
        <div class="pane-body">
          <ol class="steps empty" aria-label="How this goes">
            <li>Pick a sample on the left, or paste what you have: JSON, calls of analytics, curl lines.</li>
            <li>Read above what would be sent. Nothing leaves this machine.</li>
            <li>Press Send. Here stands what became of it, and on the right what EmailSendX then has.</li>
          </ol>
        </div>
      ) : (
        <Tabs
          label="What was sent"
          current={tab.value}
          choose={(name) => (tab.value = name)}
          tabs={[
            { name: 'events', label: 'Events' },
            { name: 'requests', label: `Requests (${requests})` }
          ]}
        >
          <div class="pane-body" ref={body}>
            {tab.value === 'requests' && <RequestLog />}
            {tab.value === 'events' &&
              sendings.value.map((sending, index) => (
                <SendingView key={sending.id} sending={sending} isNewest={index === 0} />
              ))}
          </div>
        </Tabs>
      )}
    </section>
  )
}

/** What is worst comes first: it is what a person looks for. */
const TONES: Record<Tone, { mark: string; words: string }> = {
  refused: { mark: '✕', words: 'refused' },
  unsure: { mark: '?', words: 'in doubt' },
  untaken: { mark: '–', words: 'taken by no preset' },
  again: { mark: '↻', words: 'would be sent again' },
  waiting: { mark: '…', words: 'on their way' },
  delivered: { mark: '✓', words: 'delivered' }
}
const RANKED = Object.keys(TONES) as Tone[]

interface Told extends Row {
  meaning: Meaning
}

const told = ({ rows, ended }: Sending): Told[] => rows.map((row) => ({ ...row, meaning: meaningOfRow(row, ended) }))

function meaningOfRow({ action, result }: Row, ended?: string): Meaning {
  if (action === undefined) return { tone: 'untaken', headline: 'Not sent', detail: 'No preset takes it.' }
  if (result) return meaningOf(result)
  return ended === undefined
    ? { tone: 'waiting', headline: 'On its way', detail: 'Waiting for EmailSendX …' }
    : { tone: 'untaken', headline: 'Not sent', detail: ended }
}

/** The tones that there are, and how many rows have each. */
const countsOf = (rows: Told[]) =>
  RANKED.map((tone) => ({
    tone,
    words: TONES[tone].words,
    count: rows.filter(({ meaning }) => meaning.tone === tone).length
  })).filter(({ count }) => count > 0)

/** `2 delivered, 1 refused`, and while it goes on how far it is. */
export function summaryOf(sending: Sending): string {
  const { done, calls, ended } = sending
  if (ended === undefined && done < calls) return calls === 1 ? 'sending …' : `sending … ${done} of ${calls}`
  const rows = told(sending)
  if (rows.length === 0) return 'not sent'
  return countsOf(rows)
    .reverse()
    .map(({ words, count }) => `${count} ${words}`)
    .join(', ')
}

/** Rows that are made at once; hundreds more would make the page slow. */
const MAX_ROWS = 100

function SendingView({ sending, isNewest }: { sending: Sending; isNewest: boolean }) {
  const { id, at, events, ended, took } = sending
  const [filter, setFilter] = useState<Tone | undefined>(undefined)
  const [limit, setLimit] = useState(MAX_ROWS)
  const all = told(sending)
  const rank = ({ meaning }: Told) => RANKED.indexOf(meaning.tone)
  const rows = all
    .filter(({ meaning }) => filter === undefined || meaning.tone === filter)
    .sort((a, b) => (all.length > 1 ? rank(a) - rank(b) || a.event - b.event : 0))
  const tones = countsOf(all)
  return (
    <article class="sending" aria-label={`Sent at ${clock(at)}`}>
      <header class="sending-head">
        <h4>
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
          {events.length > 0 && `, ${counted(events.length, 'event')}`}
          {took !== undefined && `, ${took} ms`}
        </h4>
        <span class="actions">
          <TextButton act={() => loadIntoEditor(events)}>Load into editor</TextButton>
          {/* As other events: with their old ids Segment's world would take them for the same ones. */}
          <TextButton disabled={isSending.value} act={() => void sendEvents(events.map(asTyped))}>
            Send again
          </TextButton>
          {!isNewest && <TextButton act={() => forget(id)}>Forget</TextButton>}
        </span>
      </header>
      {ended !== undefined && <p class="bad">{ended}</p>}
      {tones.length > 1 && (
        <fieldset class="switch filters">
          <legend class="unseen">Show</legend>
          <Radios
            name={`filter-${id}`}
            choices={[
              [undefined, `all ${all.length}`],
              ...tones.map(({ tone, words, count }) => [tone, `${words} ${count}`] as const)
            ]}
            chosen={filter}
            choose={setFilter}
          />
        </fieldset>
      )}
      <ul class="rows">
        {rows.slice(0, limit).map((row) => (
          <RowView key={`${row.event} ${row.action}`} row={row} sending={sending} />
        ))}
      </ul>
      {rows.length > limit && <TextButton act={() => setLimit(rows.length)}>Show all {rows.length}</TextButton>}
    </article>
  )
}

function RowView({ row: { event: position, action, meaning }, sending }: { row: Told; sending: Sending }) {
  const event = sending.events[position]
  const { tone, headline, badge, detail } = meaning
  return (
    <li class={`outcome ${tone}`}>
      <button type="button" class="outcome-head" onClick={() => showEvent(sending.events, position)}>
        <span class={`mark ${tone}`} aria-hidden="true">
          {TONES[tone].mark}
        </span>
        <strong>{headline}</strong>
        {badge && <span class="badge">{badge}</span>}
        <span class="quiet name">
          {sending.events.length > 1 && `${position + 1} · `}
          {action !== undefined && `${titleOf(action)} · `}
          <bdi>{visible(nameOf(event))}</bdi>
          {sending.events.length > 1 && userOf(event) && (
            <>
              {' '}
              <bdi class="user">{visible(userOf(event))}</bdi>
            </>
          )}
        </span>
      </button>
      <p class="detail">{tone === 'waiting' ? <Waiting sending={sending} /> : detail}</p>
    </li>
  )
}

/** Seconds of waiting, for an answer that does not come at once. */
function Waiting({ sending: { at } }: { sending: Sending }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.floor((now - at) / 1_000)
  return (
    <>{seconds < 2 ? 'Waiting for EmailSendX …' : `Waiting for EmailSendX for ${seconds} s; each request has 30 s …`}</>
  )
}
