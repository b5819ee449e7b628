import { Fragment } from 'preact'
import type { Delivery } from '../../serve/tester/preview'
import { counted } from '../model/words'
import { manifest, titleOf } from '../state/definition'
import { contactsExist } from '../state/preview'
import { RequestLine } from './ExchangeView'
import { Body, Json } from './Json'
import { inWords, Radios, Value } from './pieces'

/** Requests that are spelled out. */
const SHOWN = 12

/** What an action makes of an event, and the requests it would send. */
export function Planned({ delivery: { action, payload, outcome, requests, others } }: { delivery: Delivery }) {
  const { status, errormessage = '', fields = {} } = outcome
  return (
    <div class="planned">
      {status >= 300 && (
        <p class="refusal">
          <strong>{titleOf(action)} would not send it.</strong> {fields.$ ?? errormessage}
        </p>
      )}
      <h4>{titleOf(action)} makes of it</h4>
      <Payload action={action} payload={payload} mistakes={fields} />
      <Templates payload={payload} requests={requests} />
      <h4>
        {requests.length === 0
          ? 'and sends nothing'
          : `and sends ${counted(requests.length, 'request')} to ${new URL(requests[0].url).origin}`}
        {others > 0 && `, for this event and ${others} more`}
      </h4>
      {requests.some(({ url }) => url.includes('search=')) && <IfUnknown />}
      {requests.slice(0, SHOWN).map(({ method, url, body }, position) => (
        <div class="request" key={position}>
          <p class="request-line">
            <RequestLine method={method} url={url} />
          </p>
          {body && <Body body={body} label={`Body of ${method} ${url}`} />}
        </div>
      ))}
      {requests.length > SHOWN && <p class="quiet">and {requests.length - SHOWN} more like these</p>}
    </div>
  )
}

/** Names that a custom field may have; by custom fields templates show what is in metadata of the same name. */
const FIELD_KEY = /^[a-z][a-z0-9_]{0,49}$/

/** Which of the traits a template in EmailSendX could use: metadata as such it can't. */
function Templates({ payload, requests }: Pick<Delivery, 'payload' | 'requests'>) {
  const names = Object.keys(metadataOf(payload, requests))
  const usable = names.filter((name) => FIELD_KEY.test(name))
  const others = names.filter((name) => !FIELD_KEY.test(name))
  if (names.length === 0) return null
  return (
    <p class="hint templates">
      {usable.length > 0 && <>Templates can use {listed(usable)}, as custom fields. </>}
      {others.length > 0 && <>Not {listed(others)}: a custom field has small letters, digits and _.</>}
    </p>
  )
}

const listed = (names: string[]) =>
  names.map((name, index) => (
    <Fragment key={name}>
      {index > 0 && ', '}
      <code>{inWords(name)}</code>
    </Fragment>
  ))

/** The metadata of the contact that is looked at, as it would be sent. */
function metadataOf(payload: Delivery['payload'], requests: Delivery['requests']): object {
  const addresses = [payload.email, payload.userId].map((one) => typeof one === 'string' && one.trim().toLowerCase())
  for (const { body } of requests) {
    if (!body.startsWith('{"contacts"')) continue
    const { contacts } = JSON.parse(body) as { contacts: { email: string; metadata?: object }[] }
    const found = contacts.find(({ email }) => addresses.includes(email))
    if (found) return found.metadata ?? {}
  }
  return {}
}

interface PayloadProps {
  action: string
  payload: Delivery['payload']
  /** By field. */
  mistakes: Record<string, string>
}

/** The mapped fields, each with what is wrong with it; those that only say how to send come last, in a line. */
function Payload({ action, payload, mistakes }: PayloadProps) {
  const fields = manifest.value?.actions[action]?.fields ?? {}
  const isConfig = (name: string) => ['config', 'sync'].includes(fields[name]?.category ?? '')
  const names = Object.keys(fields).filter(
    (name) => name in mistakes || (name in payload && !fields[name].unsafe_hidden)
  )
  const shown = names.filter((name) => !isConfig(name) || name in mistakes)
  const config = names.filter((name) => isConfig(name) && name in payload)
  return (
    <dl class="facts payload">
      {shown.map((name) => (
        <div key={name}>
          <dt>{fields[name].label}</dt>
          <dd>
            {typeof payload[name] === 'object' ? (
              <Json value={payload[name]} label={fields[name].label} />
            ) : (
              <Value value={payload[name]} />
            )}
            {mistakes[name] && <p class="bad">{mistakes[name]}</p>}
          </dd>
        </div>
      ))}
      {config.length > 0 && (
        <div class="config">
          <dt>as configured</dt>
          <dd>{config.map((name) => `${fields[name].label}: ${inWords(payload[name])}`).join(' · ')}</dd>
        </div>
      )}
    </dl>
  )
}

function IfUnknown() {
  return (
    <fieldset class="choice">
      <legend>if the contact</legend>
      <Radios
        name="exists"
        choices={[
          [true, 'is there, as CONTACT_ID'],
          [false, 'is unknown']
        ]}
        chosen={contactsExist.value}
        choose={(exists) => (contactsExist.value = exists)}
      />
    </fieldset>
  )
}
