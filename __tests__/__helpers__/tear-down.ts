import { endPostgres } from './lend-postgres'

/** Jest's globalTeardown. */
export default endPostgres
