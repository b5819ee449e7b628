/*
 * All tests of the destination as one file: a mutant then loads actions-core once, and not once for each file. Those with large
 * batches come last, since the first test that fails ends the run of a mutant.
 */
import '../definitions/emailsendx/__tests__/errors.test'
import '../definitions/emailsendx/__tests__/render.test'
import '../definitions/emailsendx/__tests__/index.test'
import '../definitions/emailsendx/__tests__/outcomes.test'
import '../definitions/emailsendx/__tests__/lists.test'
import '../definitions/emailsendx/identifyContact/__tests__/audience.test'
import '../definitions/emailsendx/identifyContact/__tests__/link.test'
import '../definitions/emailsendx/trackEvent/__tests__/hand-over.test'
import '../definitions/emailsendx/trackEvent/__tests__/index.test'
import '../definitions/emailsendx/identifyContact/__tests__/index.test'
import '../definitions/emailsendx/__tests__/faults.test'
import '../definitions/emailsendx/identifyContact/__tests__/bulk-upsert.test'
