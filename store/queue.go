package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// ErrCursor refuses the place of a page that no page has named.
var ErrCursor = errors.New("collections: not the place of a page")

// QueuePage lists up to limit orders of a filter from a place on ("" is the
// beginning), and names the place of the next page, "" at the end. A place is
// the last row of the page before, so that the thousandth page costs what the
// first one does. Each state is read along its own index and the results are
// merged: asked for together, the database would sort them all.
func (s *Store) QueuePage(ctx context.Context, f OrderFilter, newest bool, after string, limit int) ([]OrderLine, string, error) {
	var all []OrderLine
	for _, part := range f.parts() {
		lines, err := s.queuePart(ctx, part, newest, after, limit+1)
		if err != nil {
			return nil, "", err
		}
		all = append(all, lines...)
	}
	slices.SortFunc(all, func(a, b OrderLine) int {
		order := strings.Compare(f.place(a), f.place(b))
		if newest {
			return -order
		}
		return order
	})
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], f.place(all[limit-1]), nil
}

// parts splits a filter by state, so that each part has an index to follow.
func (f OrderFilter) parts() []OrderFilter {
	statuses := f.Statuses
	if len(statuses) == 0 && f.Tab != TabExceptions {
		statuses = texts(tabStatuses[f.Tab])
	}
	if len(statuses) < 2 {
		return []OrderFilter{f}
	}
	var out []OrderFilter
	for _, status := range statuses {
		part := f
		part.Statuses = []string{status}
		out = append(out, part)
	}
	return out
}

// place names a row in the order of the filter.
func (f OrderFilter) place(l OrderLine) string {
	at := l.Created
	switch f.By {
	case ByHISDate:
		at = l.HISDate
	case ByPaid:
		at = l.PaidAt
	}
	return at.String() + "|" + l.ID
}

// maxSkip bounds how far a page is reached by its number: whoever wants more asks for less.
const maxSkip = 100_000

// QueuePlace names the place of the page that begins after the first skip orders of a
// filter, for whoever comes to a page by its number; ErrCursor where there are not as
// many. Only places are read.
func (s *Store) QueuePlace(ctx context.Context, f OrderFilter, newest bool, skip int) (string, error) {
	if skip < 1 || skip > maxSkip {
		return "", ErrCursor
	}
	var all []string
	for _, part := range f.parts() {
		where, params := part.where()
		column, direction := part.order(), ""
		if newest {
			direction = " DESC"
		}
		params["limit"] = skip
		var places []string
		err := s.app.ConcurrentDB().NewQuery("SELECT " + column + " || '|' || o.id FROM refund_orders o WHERE " + where + " ORDER BY " + column +
			direction + ", o.id" + direction + " LIMIT {:limit}").Bind(params).WithContext(ctx).Column(&places)
		if err != nil {
			return "", err
		}
		all = append(all, places...)
	}
	if len(all) < skip {
		return "", ErrCursor
	}
	slices.Sort(all)
	if newest {
		slices.Reverse(all)
	}
	return all[skip-1], nil
}

func (s *Store) queuePart(ctx context.Context, f OrderFilter, newest bool, after string, limit int) ([]OrderLine, error) {
	where, params := f.where()
	column, direction, beyond := f.order(), "", ">"
	if newest {
		direction, beyond = " DESC", "<"
	}
	if after != "" {
		at, id, ok := strings.Cut(after, "|")
		if !ok || len(after) > 64 {
			return nil, ErrCursor
		}
		where += " AND (" + column + ", o.id) " + beyond + " ({:at}, {:id})"
		params["at"], params["id"] = at, id
	}
	params["limit"] = limit
	lines := []OrderLine{}
	err := s.app.ConcurrentDB().NewQuery("SELECT " + lineColumns + " FROM refund_orders o WHERE " + where + " ORDER BY " + column + direction +
		", o.id" + direction + " LIMIT {:limit}").
		Bind(params).WithContext(ctx).All(&lines)
	return lines, err
}

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

// DeskCounts counts what lies on the other desks of an institution.
func (s *Store) DeskCounts(ctx context.Context, institution string) (map[string]int, error) {
	out := map[string]int{}
	var err error
	if _, out["suspense"], err = s.Suspended(ctx, institution, 0, 0); err != nil {
		return nil, err
	}
	if _, out["unknown"], err = s.Unknown(ctx, institution, 0, 0); err != nil {
		return nil, err
	}
	open, suspended, second, err := s.Payments().DeskCounts(ctx, institution)
	if err != nil {
		return nil, err
	}
	out["unknown"] += open
	out["suspense"] += suspended
	out["payments"] = suspended + second
	var proxies int
	err = s.app.ConcurrentDB().Select("COUNT(*)").From(collections.ProxyApplications).
		Where(dbx.HashExp{"institution": institution, "status": string(refund.ProxySubmitted)}).WithContext(ctx).Row(&proxies)
	out["proxies"] = proxies
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
	err := s.app.ConcurrentDB().Select("status", "count").From(collections.RefundCounts).Where(dbx.HashExp{"institution": institution}).
		WithContext(ctx).All(&rows)
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
