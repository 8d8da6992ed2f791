package books

import (
	"context"
	"strings"

	"github.com/pocketbase/dbx"
)

// Plans tells how the database goes about what a run reads, by name.
func (s *Service) Plans(ctx context.Context, inst string) (map[string]string, error) {
	p := dbx.Params{"i": inst, "from": "2026-11-10", "to": "2026-11-11", "day": "2026-11-10", "end": "2026-11-11", "since": "2026-10-10",
		"b": "x", "made": "2026-09-10", "c": "wechat"}
	out := map[string]string{}
	for name, sql := range map[string]string{"paid": paidSQL, "away": awaySQL, "flights": flightsSQL(), "through": throughSQL()[0],
		"under way": throughSQL()[1], "back": backSQL, "number": numberSQL} {
		used := dbx.Params{}
		for k, v := range p {
			if strings.Contains(sql, "{:"+k+"}") {
				used[k] = v
			}
		}
		var steps []struct {
			Detail string `db:"detail"`
		}
		if err := s.App.ConcurrentDB().NewQuery("EXPLAIN QUERY PLAN " + sql).Bind(used).WithContext(ctx).All(&steps); err != nil {
			return nil, err
		}
		for _, st := range steps {
			out[name] += st.Detail + "; "
		}
	}
	return out, nil
}

// Explain tells how the database goes about a list.
func (s *Service) Explain(ctx context.Context, inst string, f Filter) (string, error) {
	where, p := f.where(inst)
	var steps []struct {
		Detail string `db:"detail"`
	}
	err := s.App.ConcurrentDB().NewQuery("EXPLAIN QUERY PLAN SELECT * FROM differences WHERE " + where +
		" ORDER BY day DESC, key DESC LIMIT 50").Bind(p).WithContext(ctx).All(&steps)
	var out []string
	for _, st := range steps {
		out = append(out, st.Detail)
	}
	return strings.Join(out, "; "), err
}
