// The parts of ECharts that the console draws with.
import { BarChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, CanvasRenderer])

export function startChart(element: HTMLElement): { setOption(o: unknown, again?: boolean): void; resize(): void; dispose(): void } {
  const chart = init(element)
  return { setOption: (o, again) => chart.setOption(o as never, again), resize: () => chart.resize(), dispose: () => chart.dispose() }
}
