package kit

import (
	"sync"
	"time"
)

// Budget is how often something may be done within a span of time.
type Budget struct {
	Name string
	Most int
	Span time.Duration
}

// Budgets counts what was spent of budgets, by whoever spends: a person, an
// account, a network. They are held in memory: a restart begins anew.
type Budgets struct {
	mu    sync.Mutex
	spent map[spender]*spending
}

type spender struct{ budget, who string }

type spending struct {
	n     int
	until time.Time
}

// Within spends one of somebody's budget, where budgets are kept, and reports
// whether there was one left.
func (k *Kit) Within(of Budget, who string) bool {
	return !k.Limited || k.Budgets.Take(of, who, k.Now())
}

// mostSpenders bounds what is remembered. Where so many spend at once that even
// the forgotten leave no room, all begin anew: nobody is kept out by others.
const mostSpenders = 100_000

// Take spends one of a budget and reports whether there was one left.
func (b *Budgets) Take(of Budget, who string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.of(of, who, now)
	if s.n >= of.Most {
		return false
	}
	s.n++
	return true
}

// Left reports whether something of a budget is left, and spends nothing.
func (b *Budgets) Left(of Budget, who string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(of, who, now).n < of.Most
}

// of finds the spending of the span that now lies in. A clock that was set back
// begins a new one.
func (b *Budgets) of(of Budget, who string, now time.Time) *spending {
	key := spender{of.Name, who}
	s := b.spent[key]
	if s != nil && now.Before(s.until) && s.until.Sub(now) <= of.Span {
		return s
	}
	if s == nil {
		b.makeRoom(now)
		s = &spending{}
		b.spent[key] = s
	}
	s.n, s.until = 0, now.Add(of.Span)
	return s
}

func (b *Budgets) makeRoom(now time.Time) {
	if b.spent != nil && len(b.spent) < mostSpenders {
		return
	}
	for key, s := range b.spent {
		if !now.Before(s.until) {
			delete(b.spent, key)
		}
	}
	if b.spent == nil || len(b.spent) >= mostSpenders {
		b.spent = map[spender]*spending{}
	}
}
