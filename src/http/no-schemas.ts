function refuse(): never {
  throw new Error('a route has a schema: remove schemaController from the options of its server')
}

/**
 * What a Fastify takes as `schemaController` where no route has a schema: zod checks what comes in. Without it each Fastify loads
 * the compilers of schemas, ajv and fast-json-stringify, whether there are any or not.
 */
export const noSchemas = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } }
