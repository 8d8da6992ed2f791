// Package metrics writes figures in the text format that Prometheus reads, and
// counts what calls to the other sides bring.
package metrics

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hospay/flow"
)

// ContentType is that of the format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kinds of figures.
const (
	Gauge   = "gauge"
	Counter = "counter"
)

// Family is a figure with its rows; Help says in Chinese what it counts.
type Family struct {
	Name, Kind, Help string
	rows             []row
}

type row struct {
	labels string
	pairs  []string
	value  float64
}

// Each tells every row with its labels as name, value, name, value.
func (f *Family) Each(tell func(value float64, labels []string)) {
	for _, r := range f.rows {
		tell(r.value, r.pairs)
	}
}

// Add adds a row under labels, given as name, value, name, value.
func (f *Family) Add(value float64, labels ...string) {
	var b strings.Builder
	for i := 0; i+1 < len(labels); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=\"%s\"", labels[i], escape.Replace(labels[i+1]))
	}
	f.rows = append(f.rows, row{b.String(), labels, value})
}

var escape = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\"", "\\\"")

// Write writes families in their order, the rows of each by their labels. One
// without rows says nothing.
func Write(w io.Writer, families ...*Family) error {
	var b strings.Builder
	for _, f := range families {
		if len(f.rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, escape.Replace(f.Help), f.Name, f.Kind)
		slices.SortStableFunc(f.rows, func(x, y row) int { return cmp.Compare(x.labels, y.labels) })
		for _, r := range f.rows {
			b.WriteString(f.Name)
			if r.labels != "" {
				b.WriteString("{" + r.labels + "}")
			}
			b.WriteString(" " + strconv.FormatFloat(r.value, 'f', -1, 64) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Calls counts what calls to the other sides have brought since the start.
type Calls struct {
	mu   sync.Mutex
	seen map[call]tally
}

type call struct{ domain, kind, verdict, code string }

type tally struct {
	n    int
	took time.Duration
}

// mostCodes bounds how many rows foreign codes can make; what comes later counts
// as "other".
const mostCodes = 500

// Watch counts the calls of a domain.
func (c *Calls) Watch(domain string) flow.Watch {
	return func(kind string, ans flow.Answer, took time.Duration) {
		k := call{domain, kind, verdict(ans.Verdict), ans.Reason.Code}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.seen == nil {
			c.seen = map[call]tally{}
		}
		if _, known := c.seen[k]; !known && len(c.seen) >= mostCodes {
			k.code = "other"
		}
		t := c.seen[k]
		c.seen[k] = tally{t.n + 1, t.took + took}
	}
}

func verdict(v flow.Verdict) string {
	switch v {
	case flow.Done:
		return "done"
	case flow.Refused:
		return "refused"
	}
	return "unknown"
}

// Families are the counts.
func (c *Calls) Families() []*Family {
	n := &Family{Name: "hospay_calls_total", Kind: Counter, Help: "向 HIS、渠道、医保中心发出的请求，按结果和错误码（kind=query 为查询）"}
	took := &Family{Name: "hospay_call_seconds_total", Kind: Counter, Help: "这些请求一共用了多少秒"}
	c.mu.Lock()
	seen := maps.Clone(c.seen)
	c.mu.Unlock()
	for k, t := range seen {
		labels := []string{"domain", k.domain, "kind", k.kind, "verdict", k.verdict, "code", k.code}
		n.Add(float64(t.n), labels...)
		took.Add(t.took.Seconds(), labels...)
	}
	return []*Family{n, took}
}
