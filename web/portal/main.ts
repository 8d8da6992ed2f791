import { createApp } from 'vue'
import 'vant/es/style/base.css'
import 'vant/es/button/index.css'
import 'vant/es/loading/index.css'
import 'vant/es/tag/index.css'
import 'vant/es/skeleton/index.css'
import 'vant/es/skeleton-title/index.css'
import 'vant/es/skeleton-paragraph/index.css'
import './theme.css'
import { startLanguage } from '@shared/i18n'
import { watchForms } from '@shared/mistakes'
import App from './App.vue'
import { startCare } from './care'
import { sweep } from './draft'
import { router } from './router'
import { arrive } from './session'

async function start(): Promise<void> {
  startCare()
  sweep()
  watchForms()
  await startLanguage()
  const app = createApp(App)
  const next = await arrive()
  app.use(router)
  if (next) await router.replace(next)
  await router.isReady()
  app.mount('#app')
}

void start()
