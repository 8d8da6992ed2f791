package sim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rule plans one fault: it hits the Nth matching call after it was set, and
// Times calls from there on (-1 = for ever).
type Rule struct {
	Match   string `json:"match"`
	No      string `json:"no,omitempty"`
	Nth     int    `json:"nth,omitempty"`
	Fault   string `json:"fault"`
	Times   int    `json:"times,omitempty"`
	HangMS  int    `json:"hang_ms,omitempty"`
	DelayMS int    `json:"delay_ms,omitempty"`
	Code    string `json:"code,omitempty"`    // refuse: the code, in the other side's own place for it
	Message string `json:"message,omitempty"` // refuse
	Status  int    `json:"status,omitempty"`  // refuse: HTTP status where the other side uses it
	Hit     int    `json:"hit"`
	seen    int
}

// Plan is the body of POST /_sim/faults.
type Plan struct {
	Rules  []Rule   `json:"plan,omitempty"`
	Seed   int64    `json:"seed,omitempty"`
	Rate   float64  `json:"rate,omitempty"`
	Faults []string `json:"faults,omitempty"`  // narrows what a seeded plan may choose
	Ops    []string `json:"ops,omitempty"`     // narrows where it strikes
	With   []string `json:"with,omitempty"`    // families that a seeded plan may choose besides
	LateMS int      `json:"late_ms,omitempty"` // how late a late request of a seeded plan may be; 500 without
}

// Fault is what shall go wrong with one call; Kind "" means nothing.
type Fault struct {
	Kind          string
	Hang          time.Duration
	Delay         time.Duration
	Code, Message string // of a scripted refusal
	Status        int
}

// Callback tells whether the fault concerns the callback and not the answer.
func (f Fault) Callback() bool { return slices.Contains(callbackFaults, f.Kind) }

// Lie tells whether an answer or callback is rightly signed and tells something else.
func (f Fault) Lie() bool { return slices.Contains(lies, f.Kind) }

// Faults decides call by call. The seeded choice depends on seed, simulator,
// operation, number and how often that number came, never on arrival order.
type Faults struct {
	sim     string
	mu      sync.Mutex
	rules   []*Rule
	random  Plan
	attempt map[string]int
}

// NewFaults makes the engine of one simulator.
func NewFaults(sim string) *Faults { return &Faults{sim: sim, attempt: map[string]int{}} }

// Set adds rules; a plan with a rate replaces the seeded part.
func (f *Faults) Set(p Plan) error {
	for _, r := range p.Rules {
		if !slices.Contains(FaultNames, r.Fault) || r.Match == "" {
			return fmt.Errorf("fault rule %q/%q: match must be set and fault one of %s", r.Match, r.Fault, strings.Join(FaultNames, " "))
		}
		if r.Fault == Refuse && r.Code == "" {
			return fmt.Errorf("fault rule %q/%q: code must be set", r.Match, r.Fault)
		}
	}
	for _, w := range p.With {
		if families[w] == nil {
			return fmt.Errorf("no family of faults named %q", w)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range p.Rules {
		r.Nth = max(r.Nth, 1)
		if r.Times == 0 {
			r.Times = 1
		}
		f.rules = append(f.rules, &r)
	}
	if p.Rate > 0 || p.Seed != 0 {
		p.Rules = nil
		f.random, f.attempt = p, map[string]int{}
	}
	return nil
}

// Plan adds one rule: the first matching call from now on gets the fault once.
func (f *Faults) Plan(match, fault string) error {
	return f.Set(Plan{Rules: []Rule{{Match: match, Fault: fault}}})
}

// Clear forgets all plans.
func (f *Faults) Clear() {
	f.mu.Lock()
	f.rules, f.random, f.attempt = nil, Plan{}, map[string]int{}
	f.mu.Unlock()
}

// View shows what is planned and how often each rule hit.
func (f *Faults) View() Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.random
	for _, r := range f.rules {
		out.Rules = append(out.Rules, *r)
	}
	return out
}

// Next decides about one call and counts it.
func (f *Faults) Next(c Call) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var hit *Rule
	for _, r := range f.rules {
		if r.strikes(c) && hit == nil {
			hit = r
		}
	}
	if hit != nil {
		hit.Hit++
		return Fault{hit.Fault, ms(hit.HangMS, 50), ms(hit.DelayMS, 2000), hit.Code, hit.Message, hit.Status}
	}
	if f.random.Rate <= 0 {
		return Fault{}
	}
	return f.seeded(c)
}

func ms(n, def int) time.Duration {
	if n <= 0 {
		n = def
	}
	return time.Duration(n) * time.Millisecond
}

// strikes counts the call when it matches and says whether it is the planned one.
func (r *Rule) strikes(c Call) bool {
	if r.Match != "*" && r.Match != c.Op && r.Match != c.Alias || r.No != "" && r.No != c.No {
		return false
	}
	if r.Match == "*" && c.Alias == "callback" && !slices.Contains(callbackFaults, r.Fault) && !slices.Contains(lies, r.Fault) {
		return false
	}
	r.seen++
	return r.seen >= r.Nth && (r.Times < 0 || r.seen < r.Nth+r.Times)
}

func (f *Faults) seeded(c Call) Fault {
	if len(f.random.Ops) > 0 && !slices.Contains(f.random.Ops, c.Alias) && !slices.Contains(f.random.Ops, c.Op) {
		return Fault{}
	}
	if kind := f.forGood(c); kind != "" {
		return Fault{Kind: kind}
	}
	key := c.Op + "|" + c.No
	f.attempt[key]++
	x := f.draw(key, f.attempt[key])
	if share(x) >= f.random.Rate {
		return Fault{}
	}
	names := f.sensible(c)
	if len(names) == 0 {
		return Fault{}
	}
	return Fault{Kind: names[mix(x)%uint64(len(names))], Hang: ms(0, 50), Delay: f.late(mix(x + 1))}
}

// draw is the number that fate has for a text and how often it came.
func (f *Faults) draw(key string, n int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s|%s|%d", f.random.Seed, f.sim, key, n)
	return mix(h.Sum64())
}

// share is a number between 0 and 1.
func share(x uint64) float64 { return float64(x>>11) / (1 << 53) }

func (f *Faults) late(x uint64) time.Duration {
	if f.random.LateMS <= 0 {
		return ms(0, 500)
	}
	return time.Duration(1+share(x)*float64(f.random.LateMS)) * time.Millisecond
}

// forGood decides about refusals, which are permanent: a number that is refused
// is refused in the same words each time it comes.
func (f *Faults) forGood(c Call) string {
	if !slices.Contains(f.random.With, "refusals") || !slices.Contains(moneyOps, c.Alias) {
		return ""
	}
	x := f.draw("refused|"+c.Op+"|"+c.No, 0)
	if share(x) >= f.random.Rate/4 {
		return ""
	}
	names := families["refusals"]
	if f.kind() == "his" {
		names = []string{UnknownCode} // what the mapping of HIS lacks
	}
	return names[mix(x)%uint64(len(names))]
}

// kind is what sort of simulator this is; a second of a kind has a longer name.
func (f *Faults) kind() string {
	kind, _, _ := strings.Cut(f.sim, "-")
	return kind
}

// mix spreads the bits of a hash (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// sensible lists the faults that can happen to an operation.
func (f *Faults) sensible(c Call) []string {
	names, his := readFaults, f.kind() == "his"
	money := slices.Contains(moneyOps, c.Alias)
	switch {
	case c.Alias == "settle":
		names = nil
	case c.Alias == "callback":
		names = callbackFaults
	case f.kind() == "centre" && c.Alias != "query":
		names = centreFaults
	case his && money:
		names = hisFaults
	case his:
		names = hisReads
	case money || slices.Contains(openOps, c.Alias):
		names = moneyFaults
	}
	for _, with := range f.random.With {
		names = append(slices.Clone(names), f.family(with, c, money)...)
	}
	var out []string
	for _, n := range names {
		if n == SignTest && f.kind() != "wechat" || len(f.random.Faults) > 0 && !slices.Contains(f.random.Faults, n) {
			continue
		}
		out = append(out, n)
	}
	return out
}

// family lists what a family of faults may do to an operation.
func (f *Faults) family(name string, c Call, money bool) []string {
	fits := false
	switch name {
	case "late":
		fits = money
	case "lies":
		fits = c.Alias == "callback" || slices.Contains(liableOps, c.Alias)
	case "lost":
		fits = f.kind() == "wechat" && c.Alias == "transfer"
	case "centre":
		return f.centre(c)
	case "mixed":
		fits = c.Alias == "settle"
	case "bills":
		fits = f.kind() == "his" && c.Alias == "charge"
	case "odd":
		fits = f.kind() == "his" && c.Alias == "debit"
	}
	if !fits {
		return nil
	}
	return families[name]
}

// centre lists what a centre may be wrong about in one of its calls.
func (f *Faults) centre(c Call) []string {
	switch {
	case f.kind() != "centre":
		return nil
	case c.Alias == "refund":
		return []string{RefundFail, RefundExp, RefundExpBefore}
	case c.Alias == "order" || c.Alias == "query":
		return []string{OddTotal, OddAccount}
	}
	return nil
}
