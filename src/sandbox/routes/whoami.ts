import type { FastifyInstance } from 'fastify'
import { sendPage } from '../website'
import type { Workspace } from '../workspace'

export function whoamiRoute(app: FastifyInstance, workspace: Workspace): void {
  app.get('/whoami', ({ apiKey }, reply) => {
    if (workspace.whoami === 'missing') return sendPage(reply, 404)
    const data = { workspaceId: 'ws_sandbox_id', workspaceName: 'EmailSendX Sandbox' }
    return { data: { ...data, keyName: apiKey?.name, scopes: apiKey?.scopes } }
  })
}
