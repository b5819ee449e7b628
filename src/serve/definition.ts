/* eslint-disable @typescript-eslint/no-explicit-any -- settings and payloads are what the served destination declares */
import type { Destination, DestinationDefinition, DynamicFieldResponse, RequestFn } from '@segment/actions-core'

/** The destination being served, whatever its settings. */
export type Definition = DestinationDefinition<any>
/** The definition as core runs it. */
export type RunningDestination = Destination<any, any>
/** Gives the choices of a dynamic field. */
export type ChoicesFn = RequestFn<any, any, DynamicFieldResponse>
