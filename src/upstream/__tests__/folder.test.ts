import { strayReferences } from '../folder'

describe('a destination that moves into another repository', () => {
  const strays = (files: Record<string, string>) => strayReferences(new Map(Object.entries(files)))

  it("may import its own files and what Segment's package has", () => {
    const files = {
      'index.ts': "import { toEmail } from './email'\nimport action from './trackEvent'\nimport get from 'lodash/get'",
      'email.ts': "import { LRUCache } from 'lru-cache'",
      'trackEvent/index.ts': "import type { ActionDefinition } from '@segment/actions-core'\nimport '../email'",
      '__tests__/index.test.ts': "import nock from 'nock'\nimport { once } from 'events'\nimport definition from '..'"
    }
    expect(strays(files)).toEqual([])
  })

  it('may not import a file that does not come along', () => {
    expect(strays({ 'index.ts': "import { gone } from './gone'" })).toEqual(['index.ts imports ./gone'])
    expect(strays({ 'index.ts': "import { serve } from '../../src/serve'" })).toEqual([
      'index.ts imports ../../src/serve'
    ])
  })

  it('may not import a package that is not there, nor one of the tests outside of them', () => {
    expect(strays({ 'index.ts': "import { z } from 'zod'\nconst nock = require('nock')" })).toEqual([
      'index.ts imports zod',
      'index.ts imports nock'
    ])
    expect(strays({ 'index.ts': "import { createHash } from 'crypto'" })).toEqual(['index.ts imports crypto'])
  })

  it('may not send readers to pages of this repository', () => {
    expect(strays({ 'api.ts': '/** See docs/destination.md. */' })).toEqual(['api.ts mentions docs/destination.md'])
    expect(strays({ 'api.ts': '/** @see https://emailsendx.com/docs/api/contacts and /docs/api */' })).toEqual([])
  })
})
