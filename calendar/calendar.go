// Package calendar holds business days, months and time windows of Beijing; it
// is the only place that knows the zone.
package calendar

import "time"

// Beijing is the zone of business days, order numbers and time windows.
var Beijing = time.FixedZone("Asia/Shanghai", 8*3600)
