// The parts of ECharts that the console draws with.
import { BarChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, CanvasRenderer])

/** startChart draws at once: a stacked bar that moves hangs in the air for a while. */
export function startChart(element: HTMLElement): { setOption(o: unknown, again?: boolean): void; resize(): void; dispose(): void } {
  const chart = init(element)
  const setOption = (o: unknown, again?: boolean) => chart.setOption({ animation: false, ...(o as object) } as never, again)
  return { setOption, resize: () => chart.resize(), dispose: () => chart.dispose() }
}
