package store

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/money"
)

// ErrBadFilter refuses a filter that names what is not known.
var ErrBadFilter = errors.New("collections: the filter is not understood")

// longestRange bounds the days of a statistics query.
const longestRange = 5 * 366

// splitList reads a list with commas; empty parts do not count.
func splitList(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(p string) bool { return p == "" })
}

// ParseOrderFilter reads the filter of orders from the parameters of a list or
// report, for one institution, or returns ErrBadFilter.
func (s *Store) ParseOrderFilter(q url.Values, institution string) (OrderFilter, error) {
	find, err := s.OpenFind(institution, q.Get("find"))
	if err != nil {
		return OrderFilter{}, err
	}
	f := OrderFilter{
		Institution: institution, By: q.Get("date"), From: q.Get("from"), To: q.Get("to"), Statuses: splitList(q.Get("status")),
		Tab: q.Get("tab"), Standing: q.Get("state"),
		Method: q.Get("method"), Channel: q.Get("channel"), Proxy: q.Get("proxy"),
		Stage: q.Get("stage"), CardNo: q.Get("card_no"), No: strings.TrimSpace(q.Get("no")), Find: find,
	}
	for name, to := range map[string]*money.Fen{"amount_min": &f.Min, "amount_max": &f.Max} {
		v := q.Get(name)
		if v == "" {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return f, ErrBadFilter
		}
		*to = money.Fen(n)
	}
	if !f.Valid() {
		return f, ErrBadFilter
	}
	return f, nil
}

// ParseStatisticsQuery reads what statistics are asked for, or returns
// ErrBadFilter.
func ParseStatisticsQuery(q url.Values, institution string) (StatisticsQuery, error) {
	s := StatisticsQuery{Institution: institution, From: q.Get("from"), To: q.Get("to"), By: splitList(q.Get("by")), Channel: q.Get("channel"),
		Method: q.Get("method")}
	if len(s.By) == 0 {
		s.By = StatisticsDimensions()
	}
	seen := map[string]bool{}
	for _, d := range s.By {
		if seen[d] || !slices.Contains(StatisticsDimensions(), d) {
			return s, ErrBadFilter
		}
		seen[d] = true
	}
	from, err := time.Parse(time.DateOnly, s.From)
	to, err2 := time.Parse(time.DateOnly, s.To)
	f := OrderFilter{Channel: s.Channel, Method: s.Method}
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > longestRange*24*time.Hour || !f.Valid() {
		return s, ErrBadFilter
	}
	return s, nil
}
