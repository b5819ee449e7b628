import { PreviewPane } from './PreviewPane'
import { ResultsPane } from './ResultsPane'

export function WhatHappens() {
  return (
    <section class="column happens" aria-labelledby="happens-title">
      <h2 id="happens-title">What happens</h2>
      <PreviewPane />
      <ResultsPane />
    </section>
  )
}
