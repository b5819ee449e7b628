import nock from 'nock'

/** As in Segment's package: only mocked requests and 127.0.0.1 are reachable, and no mock outlives its test. */
beforeAll(() => {
  if (!nock.isActive()) nock.activate()
  nock.disableNetConnect()
  nock.enableNetConnect('127.0.0.1')
})

beforeEach(() => nock.cleanAll())

afterAll(() => {
  nock.cleanAll()
  nock.restore()
  nock.enableNetConnect()
})
