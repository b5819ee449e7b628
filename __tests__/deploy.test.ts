import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'

const run = promisify(execFile)
const root = path.join(__dirname, '..')
const deploy = (file: string) => readFile(path.join(root, 'deploy', file), 'utf8')

it('the Dockerfile has nothing that the linter minds', async () => {
  expect(validate(await deploy('Dockerfile'))).toEqual([])
})

it.each(['compose.yaml', 'compose.postgres.yaml'])(
  '%s: what it builds is there, nothing is open to others',
  async (file) => {
    const { services, volumes } = parse(await deploy(file)) as Compose
    const { bridge } = services
    const context = path.join(root, 'deploy', bridge.build?.context ?? '')
    expect(existsSync(path.join(context, bridge.build?.dockerfile ?? ''))).toBe(true)
    expect(bridge).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    for (const { ports = [], volumes: mounted = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
      for (const mount of mounted) expect(Object.keys(volumes)).toContain(mount.split(':')[0])
    }
  }
)

interface Compose {
  services: Record<string, { build?: { context: string; dockerfile: string }; ports?: string[]; volumes?: string[] }>
  volumes: Record<string, unknown>
}

it('the systemd unit is one that systemd understands, where there is one', async () => {
  const unit = path.join(root, 'deploy/emailsendx-bridge.service')
  expect(await readFile(unit, 'utf8')).toMatch(/^ExecStart=\/usr\/bin\/env emailsendx-segment bridge$/m)
  const verified = await run('systemd-analyze', ['verify', unit]).catch(
    (error: NodeJS.ErrnoException & { stderr: string }) => error
  )
  if ('code' in verified && verified.code === 'ENOENT') return
  expect(verified.stderr).toBe('')
})
