import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Lets the server on another port of this machine answer a request. Where it ends before it does, that is answered with 502. */
export function handOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url: path, rawHeaders } = request
  const onward = http.request({ host: '127.0.0.1', port, method, path, headers: endToEnd(rawHeaders), agent: false })
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
    response.flushHeaders()
    answer.on('error', () => response.destroy()).pipe(response)
  })
  onward.on('error', () => {
    if (response.headersSent) return response.destroy()
    refuse(response, 502, 'The definition ended its process before it answered; see the output of serve.')
  })
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

export function refuse(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${line}\n`)
}

/** Raw headers without those that are for one connection only. */
function endToEnd(raw: string[]): string[] {
  return raw.filter((_, index) => !/^(connection|keep-alive)$/i.test(raw[index - (index % 2)]))
}
