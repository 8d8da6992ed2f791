package jobs

import (
	"context"
	"fmt"

	"hospay/store"
)

// Statistics recounts the orders every night and reports where the summary
// tables differ. It repairs nothing: a difference is a bug or a foreign hand,
// and `hospay stats repair` is for a person who has looked.
func Statistics(store *store.Store) Job {
	return Job{Name: "statistics", At: "10 3 * * *", Run: func(ctx context.Context) (int, error) {
		diffs, err := store.VerifyStatistics(ctx)
		if err != nil || len(diffs) == 0 {
			return 1, err
		}
		d := diffs[0]
		return 0, fmt.Errorf("统计汇总与订单不一致，共 %d 处；第一处 %s %s：相差 %d 分、%d 笔。请先查明原因，再运行 hospay stats repair", len(diffs), d.Institution, d.Key,
			d.Amount, d.Count)
	}}
}
