import { createTestEvent, createTestIntegration } from '@segment/actions-core'
import nock from 'nock'
import { generateTestData } from '../../../lib/test-data'
import destination from '..'

const testDestination = createTestIntegration(destination)
const destinationSlug = 'actions-emailsendx'

describe(`Testing snapshot for ${destinationSlug} destination:`, () => {
  describe.each(Object.entries(destination.actions))('%s action', (actionSlug, action) => {
    it.each([
      ['required fields', true],
      ['all fields', false]
    ])('%s', async (_fields, requiredOnly) => {
      const seedName = `${destinationSlug}#${actionSlug}`
      const [eventData, settingsData] = generateTestData(seedName, destination, action, requiredOnly)
      // Random text is no address of a server, and the random time is older than the random maximum age.
      const mapping = { ...eventData, maxAgeHours: undefined }
      const settings = { ...settingsData, apiUrl: undefined }

      const search = { data: [{ id: 'clx_contact', email: mapping.email }] }
      nock(/.*/).persist().get(/.*/).reply(200, search)
      nock(/.*/).persist().post(/.*/).reply(200, { data: {} })

      const responses = await testDestination.testAction(actionSlug, {
        event: createTestEvent({ properties: mapping }),
        mapping,
        settings,
        auth: undefined
      })

      const requests = await Promise.all(
        responses.map(async ({ request }) => ({
          method: request.method,
          url: request.url,
          headers: request.headers,
          body: JSON.parse((await request.text()) || 'null') as unknown
        }))
      )
      expect(requests).toMatchSnapshot()
    })
  })
})
