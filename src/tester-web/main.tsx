import { render } from 'preact'
import { App } from './parts/App'
import { loadDefinition } from './state/definition'
import { keepPreviewing } from './state/preview'
import { watchBridge } from './state/bridge'
import { followContacts } from './state/changes'
import { watchSandbox } from './state/sandbox'
import { openSharedLink } from './state/share'
import { followChanges } from './state/server'
import './style/base.css'
import './style/controls.css'
import './style/event.css'
import './style/results.css'
import './style/sandbox.css'
import './style/layout.css'

render(<App />, document.body)
void openSharedLink()
void loadDefinition()
keepPreviewing()
watchSandbox()
followContacts()
watchBridge()
followChanges()
