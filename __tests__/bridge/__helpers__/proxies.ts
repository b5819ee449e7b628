import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../__helpers__/free-port'

/** A proxy as deploy/ has it, in front of a bridge, but for its address, its certificate and where it writes. */
export interface Proxy {
  url: string
  close(): Promise<void>
}

interface Kind {
  name: string
  /** Writes the configuration into a folder. @returns the command that runs it there */
  prepare(folder: string, port: number, bridgeUrl: string): Promise<string[]>
}

const deploy = (file: string) => readFile(path.join(__dirname, '../../../deploy', file), 'utf8')

/** @throws Error when something to be replaced is not there: then it is not that file which is tried */
function replaced(text: string, ...changes: [from: string, to: string][]): string {
  return changes.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`no ${from} in it`)
    return result.replaceAll(from, to)
  }, text)
}

const nginx: Kind = {
  name: 'nginx',
  async prepare(folder, port, bridgeUrl) {
    const site = replaced(
      await deploy('nginx.conf'),
      ['listen 443 ssl;', `listen 127.0.0.1:${port};`],
      ['ssl_certificate /etc/ssl/hooks.acme.com.pem;', ''],
      ['ssl_certificate_key /etc/ssl/private/hooks.acme.com.key;', ''],
      ['http://127.0.0.1:8080', bridgeUrl]
    )
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const places = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')
    await writeFile(path.join(folder, 'site.conf'), site)
    await writeFile(
      path.join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
      events {} http { access_log off; ${places} include ${folder}/site.conf; }`
    )
    return ['nginx', '-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr']
  }
}

const caddy: Kind = {
  name: 'caddy',
  async prepare(folder, port, bridgeUrl) {
    const file = replaced(
      await deploy('Caddyfile'),
      ['\n{\n', '\n{\n\tadmin off\n\tauto_https off\n'],
      ['hooks.acme.com {\n', `http://:${port} {\n\tbind 127.0.0.1\n`],
      ['127.0.0.1:8080', new URL(bridgeUrl).host]
    )
    await writeFile(path.join(folder, 'Caddyfile'), file)
    return ['caddy', 'run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile']
  }
}

/** Those that are on this machine. Senders come from several addresses of it, which only Linux gives it by itself. */
export const proxiesHere = [nginx, caddy].filter(
  ({ name }) => process.platform === 'linux' && spawnSync(name, ['-h']).error === undefined
)

export async function startProxy(kind: Kind, bridgeUrl: string): Promise<Proxy> {
  const folder = await mkdtemp(path.join(tmpdir(), `${kind.name}-`))
  await mkdir(path.join(folder, 'home'))
  const port = await freePort()
  const [command, ...args] = await kind.prepare(folder, port, bridgeUrl)
  const home = path.join(folder, 'home')
  const env = { PATH: process.env.PATH, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }
  const running = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  running.stderr.on('data', (chunk) => (said += String(chunk)))
  const url = `http://127.0.0.1:${port}`
  while (!(await answers(url))) {
    if (running.exitCode !== null) throw new Error(`${command} has ended: ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    url,
    async close() {
      const ended = once(running, 'exit')
      running.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    }
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.text().then(() => true),
    () => false
  )
}
