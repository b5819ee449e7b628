import { createServer, type IncomingHttpHeaders } from 'node:http'
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
  headers: Record<string, string>
  body: string
}

/** Changes an answer, or leaves it as it is by returning nothing. */
export type Twist = (request: Request, answer: Answer) => Partial<Answer> | undefined

/** A server that answers what `origin` answers, but for a twist. @returns its origin, and how to end it */
export function contrary(origin: string, twist: Twist) {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = 'GET', url = '/', headers } = incoming
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() }
      void pass(origin, request).then((answer) => {
        const twisted = { ...answer, ...twist(request, answer) }
        outgoing.writeHead(twisted.status, twisted.headers).end(twisted.body)
      })
    })
  })
  return listen(server)
}

async function pass(origin: string, { method, url, headers, body }: Request): Promise<Answer> {
  const names = ['authorization', 'x-api-key', 'content-type', 'accept']
  const sent = names.flatMap((name) =>
    headers[name] === undefined ? [] : [[name, String(headers[name])] as [string, string]]
  )
  const answer = await fetch(origin + url, { method, headers: sent, body: body === '' ? undefined : body })
  const kept: Record<string, string> = {}
  answer.headers.forEach((value, name) => {
    if (!['content-length', 'connection', 'transfer-encoding'].includes(name)) kept[name] = value
  })
  return { status: answer.status, headers: kept, body: await answer.text() }
}
