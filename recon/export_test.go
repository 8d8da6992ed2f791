package recon

import (
	"context"
	"strings"
)

// Explain tells how the database goes about a list.
func (s *Service) Explain(ctx context.Context, inst string, f Filter) (string, error) {
	where, p := f.where(inst)
	var steps []struct {
		Detail string `db:"detail"`
	}
	err := s.App.ConcurrentDB().NewQuery("EXPLAIN QUERY PLAN SELECT * FROM differences WHERE " + where + " ORDER BY day DESC, key DESC LIMIT 50").Bind(p).WithContext(ctx).All(&steps)
	var out []string
	for _, st := range steps {
		out = append(out, st.Detail)
	}
	return strings.Join(out, "; "), err
}
