import { createApp } from 'vue'
import './theme.css'
import './slip.css'
import App from './App.vue'
import { begin } from './flow'

void begin()
createApp(App).mount('#app')
