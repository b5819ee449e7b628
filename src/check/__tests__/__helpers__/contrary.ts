import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen } from './listen'

interface Request {
  method: string
  /** Path and query. */
  url: string
  headers: IncomingHttpHeaders
  body: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

const OF_THE_CONNECTION = ['content-length', 'connection', 'keep-alive', 'transfer-encoding']

/** Changes an answer, or leaves it as it is by returning nothing. */
export type Twist = (request: Request, answer: Answer) => Partial<Answer> | undefined

/** A server that answers what `origin` answers, but for the twists, one after the other. @returns its origin, and how to end it */
export function contrary(origin: string, ...twists: Twist[]) {
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    void text(incoming).then(async (body) => {
      const asked = { method, url, headers, body }
      const answer = await pass(origin, asked)
      const twisted = twists.reduce((sofar, twist) => ({ ...sofar, ...twist(asked, sofar) }), answer)
      outgoing.writeHead(twisted.status, twisted.headers).end(twisted.body)
    })
  })
  return listen(server)
}

async function pass(origin: string, { method, url, headers, body }: Request): Promise<Answer> {
  const [answer] = (await once(request(origin + url, { method, headers }).end(body), 'response')) as [IncomingMessage]
  // The body may be changed, and with it how long it is.
  const kept = Object.entries(answer.headers).filter(([name]) => !OF_THE_CONNECTION.includes(name))
  return { status: answer.statusCode ?? 0, headers: Object.fromEntries(kept), body: await text(answer) }
}
