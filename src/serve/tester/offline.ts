import http from 'node:http'
import https from 'node:https'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import type { Definition } from '../contract/exchanges'

/** What a preview takes for granted. */
export interface Assumptions {
  /** Whether EmailSendX has the contacts that are looked up. */
  contactsExist: boolean
}

/** Stands in a URL for the id that EmailSendX gives a contact. */
const CONTACT_ID = 'CONTACT_ID'

/**
 * The definition with its way out bricked up: whatever address a request is for, it is answered inside this process, without
 * any socket, in the shapes of EmailSendX's API pages. Requests are made, and recorded, as they always are.
 */
export function offline(definition: Definition, assumptions: Assumptions): Definition {
  const server = http.createServer((request, response) => {
    const { searchParams, pathname } = new URL(request.url ?? '/', 'http://offline')
    const body = answer(request.method, pathname, searchParams.get('search'), assumptions)
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    })
  })
  const agent = new OneServerAgent(server)
  return {
    ...definition,
    extendRequest: (data) => ({ ...definition.extendRequest?.(data), agent })
  }
}

function answer(
  method: string | undefined,
  path: string,
  email: string | null,
  { contactsExist }: Assumptions
): object {
  if (method === 'GET') return { data: contactsExist && email !== null ? [{ id: CONTACT_ID, email }] : [] }
  return { data: path.endsWith('/bulk') ? { summary: { failed: 0 }, errors: [] } : { id: CONTACT_ID } }
}

/** An agent whose connections all lead to one server of this process. */
class OneServerAgent extends https.Agent {
  constructor(private readonly server: http.Server) {
    super()
    // An agent without a protocol serves both http and https addresses.
    Object.assign(this, { protocol: undefined })
  }

  override createConnection(): Duplex {
    const [near, far] = duplexPair()
    this.server.emit('connection', far)
    return near
  }

  /** Core calls this after every answer, but another request may still be under way. */
  override destroy(): void {}
}
