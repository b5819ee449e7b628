import type { FastifyInstance } from 'fastify'
import { sendPage } from '../website'
import type { Workspace } from '../workspace'

export function whoamiRoute(app: FastifyInstance, { settings }: Workspace): void {
  app.get('/whoami', ({ visit }, reply) => {
    if (settings.whoami === 'missing') return sendPage(reply, 404)
    const data = { workspaceId: 'ws_sandbox_id', workspaceName: 'EmailSendX Sandbox' }
    return { data: { ...data, keyName: visit?.key?.name, scopes: visit?.key?.scopes } }
  })
}
