package hooks

import (
	"net/http"
	"net/url"
	"strconv"
)

func badRequest() error { return apiError(http.StatusBadRequest, "bad_request", "") }

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
