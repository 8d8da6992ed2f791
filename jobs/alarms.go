package jobs

import (
	"context"
	"time"

	"hospay/internal/alerts"
	"hospay/store"
)

// Alarms judges the figures of this program by the alert rules that Prometheus
// uses, each minute, and tells people what stands.
func Alarms(st *store.Store, watch *alerts.Watch, figures func(context.Context) ([]alerts.Sample, error), now func() time.Time) Job {
	return Job{Name: "alarms", Every: time.Minute, Run: func(ctx context.Context) (int, error) {
		samples, err := figures(ctx)
		if err != nil {
			return 0, err
		}
		told := 0
		for _, f := range watch.Observe(now(), samples) {
			n, err := st.TellAlarm(store.Alarm{Key: f.Key(), Institution: f.Labels["institution"], Summary: f.Summary, Todo: f.Todo, Since: f.Since})
			if err != nil {
				return told, err
			}
			told += n
		}
		return told, nil
	}}
}
