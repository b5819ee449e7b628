import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { assumed } from '../assumptions'
import { fromJson, newId } from '../db/values'
import { parseBody } from '../request'
import type { Workspace } from '../workspace'

/** The definition of a contact attribute; its values live in the contacts' metadata under `key`. `bin/run fields` reads and makes them. */
interface CustomField {
  id: string
  key: string
  label: string
  type: string
  mergeTag: string
  /** Only for `single_select`. */
  options?: string[]
}

const fieldBody = z
  .object({
    key: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, {
      error: 'must be 1 to 50 lower-case letters, digits and underscores, starting with a letter'
    }),
    label: z.string().trim().min(1),
    type: z.enum(['text', 'number', 'date', 'boolean', 'single_select']).default('text'),
    options: z.array(z.string().min(1)).default([])
  })
  .refine(({ type, options }) => type !== 'single_select' || options.length > 0, {
    path: ['options'],
    error: 'is required for single_select'
  })

export function customFieldRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.get('/custom-fields', { config: { scope: 'custom_fields:read' } }, () => ({ data: listCustomFields(workspace) }))

  app.post('/custom-fields', { config: { scope: 'custom_fields:write' } }, ({ body }, reply) => {
    const field = parseBody(fieldBody, body)
    if (listCustomFields(workspace).some(({ key }) => key === field.key)) {
      throw new HttpError(assumed.customFieldExists.value, 'key exists already')
    }
    reply.code(assumed.customFieldCreated.value)
    return { data: createCustomField(workspace, field) }
  })
}

/** As it is stored: label and options as JSON text. */
type FieldRow = Omit<CustomField, 'mergeTag' | 'options'> & { options: string }

/** All of them, oldest first. */
function listCustomFields({ store }: Workspace): CustomField[] {
  return store.all<FieldRow>('SELECT id, key, label, type, options FROM custom_fields ORDER BY seq').map(fromRow)
}

function createCustomField({ store }: Workspace, field: z.output<typeof fieldBody>): CustomField {
  const row = { ...field, id: newId(), label: JSON.stringify(field.label), options: JSON.stringify(field.options) }
  store.insert('custom_fields', row)
  return fromRow(row)
}

function fromRow({ id, key, label, type, options }: FieldRow): CustomField {
  const field = { id, key, label: fromJson<string>(label), type, mergeTag: `{{contact.custom.${key}}}` }
  return type === 'single_select' ? { ...field, options: fromJson(options) } : field
}
