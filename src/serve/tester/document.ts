import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { assets } from './assets'

/** The page's HTML. Its policy lets nothing in from elsewhere, and no script or style that is not a file of this server. */
export async function answerDocument(request: FastifyRequest, reply: FastifyReply): Promise<string> {
  // What keeps the page from being built is said here, where it can be read.
  await assets()
  // CodeMirror adds its styles while it runs; the nonce tells them from any other.
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    // CodeMirror underlines a mistake with an image that is in its style.
    "img-src 'self' data:",
    `connect-src 'self' ${liveReload(request)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ]
  void reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy.join('; '))
    .header('cache-control', 'no-store')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>EmailSendX for Segment: tester</title>
<link rel="icon" href="/tester/icon.svg">
<link rel="stylesheet" href="/tester/app.css">
<script type="module" src="/tester/app.js" nonce="${nonce}"></script>
</head>
<body>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`
}

/** Where changes of the definition are announced: the port after this one, under the name the browser used. */
function liveReload({ hostname, port }: FastifyRequest): string {
  return /^[\w.:[\]-]+$/.test(hostname) ? `ws://${hostname}:${(port ?? 80) + 1}` : ''
}
