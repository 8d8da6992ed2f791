package alerts

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Sample is one figure.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

func (s Sample) key() string { return s.Name + "|" + keyOf(s.Labels) }

func keyOf(labels map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(k + "=" + labels[k] + "|")
	}
	return b.String()
}

// Firing is an alert that stands.
type Firing struct {
	Rule
	Labels map[string]string
	Value  float64
	Since  time.Time
}

// Key names an alert among those that stand.
func (f Firing) Key() string { return f.Name + "|" + keyOf(f.Labels) }

// keep is how long figures are remembered, for increase.
const keep = 15 * time.Minute

// Watch judges figures as they come.
type Watch struct {
	rules []Rule
	mu    sync.Mutex
	past  []moment
	since map[string]time.Time
}

type moment struct {
	at      time.Time
	samples []Sample
}

// New returns a watch over rules.
func New(rules []Rule) *Watch { return &Watch{rules: rules, since: map[string]time.Time{}} }

// Observe takes the figures of a moment and returns what stands long enough.
func (w *Watch) Observe(at time.Time, samples []Sample) []Firing {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past = slices.DeleteFunc(append(w.past, moment{at, samples}), func(m moment) bool { return at.Sub(m.at) > keep })
	var out []Firing
	standing := map[string]time.Time{}
	for _, r := range w.rules {
		for _, s := range r.eval.at(w.past) {
			f := Firing{Rule: r, Labels: s.Labels, Value: s.Value, Since: at}
			if since, before := w.since[f.Key()]; before {
				f.Since = since
			}
			standing[f.Key()] = f.Since
			if at.Sub(f.Since) >= r.For {
				out = append(out, f)
			}
		}
	}
	w.since = standing
	return out
}

// node is a part of an expression. past is never empty; its last moment is now.
type node interface{ at(past []moment) []Sample }

type matcher struct {
	label, want string
	form        *regexp.Regexp
}

type selected struct {
	name  string
	match []matcher
}

func (n selected) at(past []moment) []Sample { return n.of(past[len(past)-1]) }

func (n selected) of(m moment) (out []Sample) {
	for _, s := range m.samples {
		if s.Name == n.name && !slices.ContainsFunc(n.match, func(m matcher) bool { return !m.form.MatchString(s.Labels[m.label]) }) {
			out = append(out, s)
		}
	}
	return out
}

// grown is how much a counter has risen. One that was not there before began at 0;
// one that fell has begun anew.
type grown struct {
	of   selected
	over time.Duration
}

func (n grown) at(past []moment) (out []Sample) {
	now := past[len(past)-1]
	first := slices.IndexFunc(past, func(m moment) bool { return now.at.Sub(m.at) <= n.over })
	for _, s := range n.of.at(past) {
		rise, last := 0.0, -1.0
		for _, m := range past[first:] {
			v := 0.0
			for _, old := range n.of.of(m) {
				if old.key() == s.key() {
					v = old.Value
				}
			}
			switch {
			case last < 0: // the first one is where it begins
			case v >= last:
				rise += v - last
			default:
				rise += v
			}
			last = v
		}
		s.Value = rise
		out = append(out, s)
	}
	return out
}

type summed struct {
	of node
	by []string
}

func (n summed) at(past []moment) []Sample { return group(n.of.at(past), n.by) }

// group adds up samples that have the labels in common.
func group(samples []Sample, by []string) []Sample {
	sums := map[string]Sample{}
	for _, s := range samples {
		labels := map[string]string{}
		for _, l := range by {
			labels[l] = s.Labels[l]
		}
		g := sums[keyOf(labels)]
		g.Labels, g.Value = labels, g.Value+s.Value
		sums[keyOf(labels)] = g
	}
	var out []Sample
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, sums[k])
	}
	return out
}

// added adds what is on both sides.
type added struct {
	a, b node
	on   []string
}

func (n added) at(past []moment) (out []Sample) {
	b := group(n.b.at(past), n.on)
	for _, s := range group(n.a.at(past), n.on) {
		i := slices.IndexFunc(b, func(o Sample) bool { return keyOf(o.Labels) == keyOf(s.Labels) })
		if i >= 0 {
			s.Value += b[i].Value
			out = append(out, s)
		}
	}
	return out
}

type compared struct {
	of    node
	op    string
	limit float64
}

func (n compared) at(past []moment) (out []Sample) {
	for _, s := range n.of.at(past) {
		if map[string]bool{"==": s.Value == n.limit, "!=": s.Value != n.limit, ">": s.Value > n.limit, "<": s.Value < n.limit,
			">=": s.Value >= n.limit, "<=": s.Value <= n.limit}[n.op] {
			s.Name = ""
			out = append(out, s)
		}
	}
	return out
}

// either is all of the left side, and of the right what has no equal labels there.
type either struct{ a, b node }

func (n either) at(past []moment) []Sample {
	out := n.a.at(past)
	have := map[string]bool{}
	for _, s := range out {
		have[keyOf(s.Labels)] = true
	}
	for _, s := range n.b.at(past) {
		if !have[keyOf(s.Labels)] {
			out = append(out, s)
		}
	}
	return out
}
