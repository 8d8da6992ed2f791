package hooks

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/collections"
	"hospay/money"
)

// longestRange bounds the days of a statistics query.
const longestRange = 5 * 366

// splitList reads a list with commas; empty parts do not count.
func splitList(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(p string) bool { return p == "" })
}

// orderFilter reads the filter of orders from a query, for the reader's own
// institution. What it does not know it refuses.
func orderFilter(q url.Values, institution string) (collections.OrderFilter, error) {
	f := collections.OrderFilter{
		Institution: institution, By: q.Get("date"), From: q.Get("from"), To: q.Get("to"), Statuses: splitList(q.Get("status")), Tab: q.Get("tab"),
		Method: q.Get("method"), Channel: q.Get("channel"), Proxy: q.Get("proxy"), CardNo: q.Get("card_no"), No: strings.ToUpper(q.Get("no")),
	}
	for name, to := range map[string]*money.Fen{"amount_min": &f.Min, "amount_max": &f.Max} {
		v := q.Get(name)
		if v == "" {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return f, badRequest()
		}
		*to = money.Fen(n)
	}
	if !f.Valid() {
		return f, badRequest()
	}
	return f, nil
}

func badRequest() error { return apiError(http.StatusBadRequest, "bad_request", "") }

// statisticsQuery reads what statistics are asked for.
func statisticsQuery(q url.Values, institution string) (collections.StatisticsQuery, error) {
	s := collections.StatisticsQuery{Institution: institution, From: q.Get("from"), To: q.Get("to"), By: splitList(q.Get("by")), Channel: q.Get("channel"), Method: q.Get("method")}
	if len(s.By) == 0 {
		s.By = collections.StatisticsDimensions()
	}
	seen := map[string]bool{}
	for _, d := range s.By {
		if seen[d] || !slices.Contains(collections.StatisticsDimensions(), d) {
			return s, badRequest()
		}
		seen[d] = true
	}
	from, err := time.Parse(time.DateOnly, s.From)
	to, err2 := time.Parse(time.DateOnly, s.To)
	f := collections.OrderFilter{Channel: s.Channel, Method: s.Method}
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > longestRange*24*time.Hour || !f.Valid() {
		return s, badRequest()
	}
	return s, nil
}

// pageOf reads page and per_page.
func pageOf(q url.Values) (page, perPage int, err error) {
	page, perPage = 1, 50
	for name, to := range map[string]*int{"page": &page, "per_page": &perPage} {
		if v := q.Get(name); v != "" {
			if *to, err = strconv.Atoi(v); err != nil || *to < 1 {
				return 0, 0, badRequest()
			}
		}
	}
	if perPage > 500 || page > 1_000_000 {
		return 0, 0, badRequest()
	}
	return page, perPage, nil
}
