import type { FastifyInstance } from 'fastify'
import type { Workspace } from '../workspace'

export function whoamiRoute(app: FastifyInstance, { settings }: Workspace): void {
  app.get('/whoami', { config: { exists: () => settings.whoami === 'available' } }, ({ visit }) => {
    const data = { workspaceId: 'ws_sandbox_id', workspaceName: 'EmailSendX Sandbox' }
    return { data: { ...data, keyName: visit?.key?.name, scopes: visit?.key?.scopes } }
  })
}
