import { IntegrationError } from '@segment/actions-core'
import type { ActionDefinition } from '@segment/actions-core'
import { runAction } from './action'
import { readFieldCall } from './body'
import type { Body } from './body'
import { errorText } from './errors'
import type { ErrorFacts } from './errors'
import type { ChoicesFn, Definition, RunningDestination } from './exchanges'
import { callReply, plainRoute } from './route'
import type { Reply, Route } from './route'

/** The function of a field, or the functions of an object field: by property, `__keys__` and `__values__`. */
type DynamicField = ChoicesFn | Record<string, ChoicesFn>
type HookType = keyof NonNullable<ActionDefinition<unknown>['hooks']>

/** `POST /<action>`: one event (`payload` an object) or a batch (an array). */
export function action(definition: Definition, slug: string): Route {
  return {
    method: 'POST',
    path: `/${slug}`,
    handle: async (body, options) => callReply(await runAction(definition, slug, body, options.subscription), options)
  }
}

/**
 * `POST /<action>/<field>` for every dynamic field. An object field also has `POST /<action>/<field>.*`, where `*` is
 * `__keys__`, a property, a key, or in an array `[0].` and a property.
 */
export function dynamicFields(definition: Definition, slug: string): Route[] {
  const declared: Record<string, DynamicField | undefined> = definition.actions[slug].dynamicFields ?? {}
  return Object.entries(declared).flatMap(([field, dynamic = {}]) => {
    const path = `/${slug}/${field}`
    if (typeof dynamic === 'function') return [choices(definition, slug, path, () => ({ fn: dynamic }))]
    return [
      choices(definition, slug, path, () => ({ fn: undefined })),
      choices(definition, slug, `${path}.*`, (rest) => nested(dynamic, rest))
    ]
  })
}

/** `POST /<action>/hooks/<hook>`, and `…/dynamic/<field>` for every dynamic input field of the hook. */
export function hooks(definition: Definition, slug: string): Route[] {
  return Object.entries(definition.actions[slug].hooks ?? {}).flatMap(([hook, { inputFields = {} }]) => {
    const path = `/${slug}/hooks/${hook}`
    const run = async (destination: RunningDestination, body: Body) =>
      destination.actions[slug].executeHook(hook as HookType, readFieldCall(body))
    const dynamic = Object.entries(inputFields).filter(([, { dynamic }]) => dynamic)
    return [
      plainRoute(definition, path, run, failed),
      ...dynamic.map(([field, { dynamic: fn }]) =>
        choices(definition, slug, `${path}/dynamic/${field}`, () => ({ fn }))
      )
    ]
  })
}

/** What a nested name asks for, in the reading of core's `Action.extractFieldContextAndHandler`, own properties only. */
function nested(functions: Record<string, ChoicesFn>, name: string): { fn?: ChoicesFn; context?: object } {
  const [, row, property] = /^\[(\d+)\]\.(.+)$/.exec(name) ?? []
  const known = row ? property : name
  if (Object.hasOwn(functions, known)) {
    return { fn: functions[known], context: row ? { selectedArrayIndex: Number(row) } : {} }
  }
  return { fn: functions.__values__, context: { selectedKey: name } }
}

function choices(
  definition: Definition,
  slug: string,
  path: string,
  resolve: (rest: string) => { fn?: ChoicesFn; context?: object }
): Route {
  const run = async (destination: RunningDestination, body: Body, rest: string) => {
    const { fn, context } = resolve(rest)
    const field = path.split('/').pop()?.replace('*', rest) ?? ''
    if (!fn) throw new IntegrationError(`No dynamic field named ${field} found.`, '404', 404)
    const call = readFieldCall(body)
    // Core 3.170 forgets the caller's context (the search text) unless the function is handed over.
    const dynamicFieldContext = { ...call.dynamicFieldContext, ...context }
    const { error, ...result } = await destination.actions[slug].executeDynamicField(
      field,
      { ...call, dynamicFieldContext },
      fn
    )
    if (error) throw new IntegrationError(error.message, error.code, 500)
    return result
  }
  return plainRoute(definition, path, run, failed)
}

const failed = (error: ErrorFacts): Reply => ({
  status: 500,
  body: [error.schemaErrors ?? { message: errorText(error), code: error.code }]
})
