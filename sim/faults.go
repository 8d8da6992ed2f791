package sim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"
)

// Names of the faults. "before" means that nothing was executed, "after" that
// everything was and only the answer went wrong.
const (
	TimeoutBefore     = "timeout_before"
	TimeoutAfter      = "timeout_after"
	Error500Before    = "500_before"
	Error500After     = "500_after"
	HTML502After      = "html_502_after"
	BadSignature      = "bad_signature"
	Unsigned          = "unsigned"
	SignTest          = "signtest"
	UnknownCode       = "unknown_code"
	UnknownCodeAfter  = "unknown_code_after"
	Slow              = "slow"
	TruncatedAfter    = "truncated_after"
	RateLimited       = "rate_limited"
	NotEnough         = "not_enough"
	SystemErrorBefore = "system_error_before"
	SystemErrorAfter  = "system_error_after"
	NameMismatch      = "name_mismatch"
	LateDebit         = "late_debit"
	DuplicateCallback = "duplicate_callback"
	LateCallback      = "late_callback"
	NoCallback        = "no_callback"
	ForgedCallback    = "forged_callback"
	WrongKeyCallback  = "wrong_key_callback"
)

// FaultNames lists every fault that a plan may name.
var FaultNames = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, BadSignature, Unsigned,
	SignTest, UnknownCode, UnknownCodeAfter, Slow, TruncatedAfter, RateLimited, NotEnough, SystemErrorBefore, SystemErrorAfter,
	NameMismatch, LateDebit, DuplicateCallback, LateCallback, NoCallback, ForgedCallback, WrongKeyCallback}

var (
	callbackFaults = []string{DuplicateCallback, LateCallback, NoCallback, ForgedCallback, WrongKeyCallback}
	moneyOps       = []string{"transfer", "refund", "debit", "reverse", "cancel"}
	moneyFaults    = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, BadSignature, Unsigned,
		SignTest, UnknownCode, UnknownCodeAfter, TruncatedAfter, RateLimited, SystemErrorBefore, SystemErrorAfter}
	readFaults = []string{TimeoutBefore, Error500Before, HTML502After, BadSignature, Unsigned, TruncatedAfter, RateLimited}
	hisFaults  = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, UnknownCode, UnknownCodeAfter,
		TruncatedAfter, RateLimited, SystemErrorBefore, SystemErrorAfter}
	hisReads = []string{TimeoutBefore, Error500Before, HTML502After, TruncatedAfter, RateLimited}
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
	Hit     int    `json:"hit"`
	seen    int
}

// Plan is the body of POST /_sim/faults.
type Plan struct {
	Rules  []Rule   `json:"plan,omitempty"`
	Seed   int64    `json:"seed,omitempty"`
	Rate   float64  `json:"rate,omitempty"`
	Faults []string `json:"faults,omitempty"` // narrows what a seeded plan may choose
	Ops    []string `json:"ops,omitempty"`    // narrows where it strikes
}

// Fault is what shall go wrong with one call; Kind "" means nothing.
type Fault struct {
	Kind  string
	Hang  time.Duration
	Delay time.Duration
}

// Callback tells whether the fault concerns the callback and not the answer.
func (f Fault) Callback() bool { return slices.Contains(callbackFaults, f.Kind) }

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
		return Fault{hit.Fault, ms(hit.HangMS, 50), ms(hit.DelayMS, 2000)}
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
	if r.Match == "*" && c.Alias == "callback" && !slices.Contains(callbackFaults, r.Fault) {
		return false
	}
	r.seen++
	return r.seen >= r.Nth && (r.Times < 0 || r.seen < r.Nth+r.Times)
}

func (f *Faults) seeded(c Call) Fault {
	if len(f.random.Ops) > 0 && !slices.Contains(f.random.Ops, c.Alias) && !slices.Contains(f.random.Ops, c.Op) {
		return Fault{}
	}
	key := c.Op + "|" + c.No
	f.attempt[key]++
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s|%s|%d", f.random.Seed, f.sim, key, f.attempt[key])
	x := mix(h.Sum64())
	if float64(x>>11)/(1<<53) >= f.random.Rate {
		return Fault{}
	}
	names := f.sensible(c)
	if len(names) == 0 {
		return Fault{}
	}
	return Fault{names[mix(x)%uint64(len(names))], ms(0, 50), ms(0, 500)}
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
	names := readFaults
	money := slices.Contains(moneyOps, c.Alias)
	switch {
	case c.Alias == "callback":
		names = callbackFaults
	case f.sim == "his" && money:
		names = hisFaults
	case f.sim == "his":
		names = hisReads
	case money:
		names = moneyFaults
	}
	var out []string
	for _, n := range names {
		if n == SignTest && f.sim != "wechat" || len(f.random.Faults) > 0 && !slices.Contains(f.random.Faults, n) {
			continue
		}
		out = append(out, n)
	}
	return out
}
