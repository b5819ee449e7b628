import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { toCurl } from '../curl'

it('says to the shell exactly what was sent, whatever is in it, and leaves the key to the environment', async () => {
  const body = JSON.stringify({ name: 'it\'s "$HOME" `pwd` \\ \n 空' })
  const url = "http://127.0.0.1:4010/api/v1/contacts?search=o'neil%40example.com"
  const headers = { authorization: '<redacted>', 'content-type': 'application/json', 'user-agent': 'Segment (Actions)' }
  const line = toCurl({ method: 'POST', url, headers, body })
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { env: { EMAILSENDX_API_KEY: 'key of mine' } })
  expect(stdout.split('\0').slice(0, -1)).toEqual([
    '-X',
    'POST',
    url,
    '-H',
    'Authorization: Bearer key of mine',
    '-H',
    'content-type: application/json',
    '--data-raw',
    body
  ])
})
