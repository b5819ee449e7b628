import { defaultValues, ErrorCodes, transform } from '@segment/actions-core'
import type { JSONObject, Result, SegmentEvent } from '@segment/actions-core'
import get from 'lodash/get'
import isEmpty from 'lodash/isEmpty'
import { readActionCall, readSettings } from './body'
import type { Body } from './body'
import { errorText } from './errors'
import type { EventStatus } from './errors'
import type { Definition, RunningDestination } from './exchanges'
import { runCall } from './route'
import type { CallResult } from './route'

/**
 * Runs one action on one event or a batch, and never throws: a call that fails wholly gives every event its error.
 *
 * @param asSubscription the way of Segment's platform: settings are checked first, events must match the subscription
 *   (`subscribe` of the body, else the action's default), and a 401 refreshes OAuth tokens once. Without it the action
 *   is called directly, as Segment's local server does.
 */
export async function runAction(
  definition: Definition,
  actionSlug: string,
  body: Body,
  asSubscription: boolean
): Promise<CallResult> {
  return runCall(definition, body, async (destination) => {
    const call = readCall(definition, actionSlug, body)
    return asSubscription ? subscribed(destination, actionSlug, call) : direct(destination, actionSlug, call)
  })
}

type Call = ReturnType<typeof readCall>

/** The call with its mapping: field defaults under the given one; when both are empty the (first) event is its own mapping. */
function readCall(definition: Definition, actionSlug: string, body: Body) {
  const call = readActionCall(body)
  const { defaultSubscription } = definition.actions[actionSlug]
  const first = Array.isArray(call.payload) ? call.payload[0] : call.payload
  const mapping: JSONObject = { ...defaultsOf(definition, actionSlug), ...call.mapping }
  return {
    ...call,
    platformSettings: readSettings(body),
    mapping: isEmpty(mapping) ? first ?? {} : mapping,
    audienceSettings: get(first, 'context.personas.audience_settings') ?? {},
    subscribe: call.subscribe ?? defaultSubscription ?? ''
  }
}

/** The mapping an action begins with: the default of every field that has one. */
export const defaultsOf = ({ actions }: Definition, action: string): JSONObject => defaultValues(actions[action].fields)

async function direct(destination: RunningDestination, actionSlug: string, call: Call): Promise<EventStatus[]> {
  const action = destination.actions[actionSlug]
  const { payload: data, ...rest } = call
  if (Array.isArray(data)) return action.executeBatch({ ...rest, data })
  return [eventStatus(await action.execute({ ...rest, data }), call.mapping, data)]
}

async function subscribed(destination: RunningDestination, actionSlug: string, call: Call): Promise<EventStatus[]> {
  const { payload, mapping, subscribe, features, platformSettings } = call
  const settings: JSONObject = { ...platformSettings, subscription: { partnerAction: actionSlug, subscribe, mapping } }
  if (!Array.isArray(payload)) {
    return [
      eventStatus(
        await destination.onEvent(payload as JSONObject & SegmentEvent, settings, { features }),
        mapping,
        payload
      )
    ]
  }
  const [result] = await destination.onBatch(payload as (JSONObject & SegmentEvent)[], settings, { features })
  return result.multistatus ?? payload.map(() => notRun(result))
}

/** Core tells what became of a single event by the last of its log lines. */
function eventStatus(results: Result[], mapping: JSONObject, event: JSONObject): EventStatus {
  const last = results[results.length - 1]
  return last.output === 'Action Executed'
    ? { status: 200, sent: transform(mapping, event), body: last.data ?? {} }
    : notRun(last)
}

/** What core says in a batch for an event that the subscription does not take, also where core only leaves a log line. */
function notRun({ output }: Result): EventStatus {
  return {
    status: 400,
    errortype: ErrorCodes.PAYLOAD_VALIDATION_FAILED,
    errormessage: output === 'not subscribed' ? NOT_SUBSCRIBED : errorText({ message: output }),
    errorreporter: 'INTEGRATIONS'
  }
}

const NOT_SUBSCRIBED = 'Payload is either invalid or does not match the subscription'
