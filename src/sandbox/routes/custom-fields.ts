import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { createCustomField, FIELD_TYPES, listCustomFields } from '../custom-fields'
import { badRequest, parseBody } from '../http'
import type { Workspace } from '../workspace'

const fieldBody = z.object({
  key: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, {
    error: 'must be 1 to 50 lower-case letters, digits and underscores, starting with a letter'
  }),
  label: z.string().trim().min(1),
  type: z.enum(FIELD_TYPES).default('text'),
  options: z.array(z.string().min(1)).default([])
})

export function customFieldRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.get('/custom-fields', { config: { scope: 'custom_fields:read' } }, () => ({ data: listCustomFields(workspace) }))

  app.post('/custom-fields', { config: { scope: 'custom_fields:write' } }, ({ body }, reply) => {
    const field = parseBody(fieldBody, body)
    if (field.type === 'single_select' && !field.options.length)
      throw badRequest('options is required for single_select')
    reply.code(assumed.customFieldCreated.value)
    return { data: createCustomField(workspace, field) }
  })
}
