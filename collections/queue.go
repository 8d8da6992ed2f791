package collections

import (
	"context"
	"time"

	"github.com/pocketbase/dbx"
)

// QueueCount is how much a tab of the work queue holds, and since when.
type QueueCount struct {
	Count  int
	Oldest time.Time
}

// QueueCounts counts the tabs of an institution's work queue: by the summary
// table, exceptions by their own index. The table of orders is never walked.
func (s *Store) QueueCounts(ctx context.Context, institution string) (map[string]QueueCount, error) {
	byStatus, err := s.statusCounts(ctx, institution)
	if err != nil {
		return nil, err
	}
	out := map[string]QueueCount{}
	for _, tab := range Tabs() {
		var c QueueCount
		for _, status := range tabStatuses[tab] {
			n := byStatus[string(status)]
			if n == 0 {
				continue
			}
			c.Count += n
			at, err := s.OldestOrder(ctx, OrderFilter{Institution: institution, Statuses: []string{string(status)}})
			if err != nil {
				return nil, err
			}
			c.Oldest = earlier(c.Oldest, at)
		}
		out[tab] = c
	}
	out[TabExceptions], err = s.exceptionCount(ctx, institution)
	return out, err
}

func (s *Store) exceptionCount(ctx context.Context, institution string) (QueueCount, error) {
	f := OrderFilter{Institution: institution, Tab: TabExceptions}
	sum, err := s.OrderSum(ctx, f)
	if err != nil || sum.Count == 0 {
		return QueueCount{}, err
	}
	at, err := s.OldestOrder(ctx, f)
	return QueueCount{sum.Count, at}, err
}

func (s *Store) statusCounts(ctx context.Context, institution string) (map[string]int, error) {
	var rows []struct {
		Status string `db:"status"`
		Count  int    `db:"count"`
	}
	err := s.app.ConcurrentDB().Select("status", "count").From(RefundCounts).Where(dbx.HashExp{"institution": institution}).WithContext(ctx).All(&rows)
	out := map[string]int{}
	for _, r := range rows {
		out[r.Status] = r.Count
	}
	return out, err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
