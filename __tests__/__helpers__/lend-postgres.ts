import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { PostgresServer, type Lent } from '../../src/bridge/queue/__tests__/__helpers__/postgres'

let server: Promise<PostgresServer> | undefined

/** Says to whoever connects where the Postgres server of this test run is, and starts it for the first one. */
const lender = createServer((socket) => {
  server ??= PostgresServer.start()
  void server
    .then(
      ({ url }): Lent => ({ url }),
      (error: Error): Lent => ({ error: error.message })
    )
    .then((lent) => socket.end(JSON.stringify(lent)))
})

/** Before any test runs. */
export async function lendPostgres(): Promise<void> {
  lender.listen(0, '127.0.0.1').unref()
  await once(lender, 'listening')
  process.env.TEST_POSTGRES_LENDER = String((lender.address() as AddressInfo).port)
}

/** After all tests. */
export async function endPostgres(): Promise<void> {
  lender.close()
  await (await server)?.end()
}
