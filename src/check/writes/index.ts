import { outcomeOf, type Ask } from '../ask'
import type { Seen } from '../report'
import { bulk } from './bulk'
import { events } from './events'
import { segment } from './segment'
import { findContact, type Question, type Trial, type WriteOptions } from './trial'
import { upserts } from './upserts'

/** In this order: the first creates the contact that the others write to. */
const QUESTIONS: Record<string, Question> = { ...upserts, ...bulk, ...events, ...segment }

/** Whether only writing answers this question. */
export const isWriting = (about: string): boolean => about in QUESTIONS

/**
 * Writes to one contact and tells what came of it.
 * @param left gets what stays behind, since nothing can be deleted
 */
export async function tryWrites(ask: Ask, options: WriteOptions, left: Set<string>): Promise<Record<string, Seen>> {
  const trial: Trial = { ...options, ask, left, run: Date.now().toString(36), existed: false }
  trial.existed = (await findContact(trial).catch(() => undefined)) !== undefined
  const found: Record<string, Seen> = {}
  for (const [about, question] of Object.entries(QUESTIONS)) found[about] = await outcomeOf(() => question(trial))
  return found
}
