package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sort"
	"strconv"
	"sync"
	"time"
)

// Entry is one movement of money that really happened. Amount is in fen.
type Entry struct {
	At       time.Time `json:"at"`                 // virtual time: decides the day of the bill
	RealAt   time.Time `json:"real_at"`            // wall clock
	Kind     string    `json:"kind"`               // transfer, refund, pay, return, debit, reverse
	No       string    `json:"no"`                 // the number that the product sent
	Merchant string    `json:"merchant,omitempty"` // channels: whose account it moved
	Party    string    `json:"party"`              // who got it or gave it: openid, account or card
	Of       string    `json:"of,omitempty"`       // of a refund: the product's number of the payment
	Amount   int64     `json:"amount"`
	State    string    `json:"state"`
}

// Ledger is append-only: an entry is never changed or taken out.
type Ledger struct {
	mu      sync.RWMutex
	entries []Entry
}

// Add appends a movement.
func (l *Ledger) Add(e Entry) {
	e.RealAt = time.Now()
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
}

// Entries returns a copy of all movements in order.
func (l *Ledger) Entries() []Entry { return l.Since(0) }

// Since returns a copy of the movements from index i on.
func (l *Ledger) Since(i int) []Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i < 0 || i >= len(l.entries) {
		return []Entry{}
	}
	return append([]Entry{}, l.entries[i:]...)
}

// Find returns the movements of one kind ("" = any) under one number.
func (l *Ledger) Find(kind, no string) []Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []Entry
	for _, e := range l.entries {
		if e.No == no && (kind == "" || e.Kind == kind) {
			out = append(out, e)
		}
	}
	return out
}

// Len counts the movements.
func (l *Ledger) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.entries)
}

func (l *Ledger) clear() {
	l.mu.Lock()
	l.entries = nil
	l.mu.Unlock()
}

// requestCap bounds the request log.
const requestCap = 200_000

// Request is one received call. It carries no secret and no personal data.
type Request struct {
	At    time.Time `json:"at"`    // wall clock
	Clock time.Time `json:"clock"` // the side's own, virtual clock
	Op    string    `json:"op"`
	Alias string    `json:"alias"`
	No    string    `json:"no"`
	Hash  string    `json:"hash"`
	Fault string    `json:"fault,omitempty"`
	// TookUS is how long the simulator has worked on it, in microseconds from its
	// first byte to its answer; 0 while it does.
	TookUS int64 `json:"took_us,omitempty"`
}

// Requests is a bounded log of received calls.
type Requests struct{ ring Ring[Request] }

// Add notes a call now, and returns its place.
func (l *Requests) Add(r Request) int {
	r.At = time.Now()
	return l.ring.Add(r)
}

// Done notes that a call was answered, since its first byte had come.
func (l *Requests) Done(place int, began time.Time) {
	l.ring.Change(place, func(r *Request) { r.TookUS = time.Since(began).Microseconds() })
}

// All returns what the log still holds.
func (l *Requests) All() []Request { rows, _ := l.ring.Since(0); return rows }

// Count tells how many calls of an operation (name or alias) carried a number ("" = any).
func (l *Requests) Count(op, no string) int {
	n := 0
	for _, r := range l.All() {
		if (r.Op == op || r.Alias == op) && (no == "" || r.No == no) {
			n++
		}
	}
	return n
}

// Since understands an index or an RFC 3339 time; next is the index to ask for later.
func (l *Requests) Since(since string) (rows []Request, next int) {
	if n, err := strconv.Atoi(since); err == nil {
		return l.ring.Since(n)
	}
	rows, next = l.ring.Since(0)
	t, err := time.Parse(time.RFC3339Nano, since)
	if err != nil {
		return rows, next
	}
	i := sort.Search(len(rows), func(i int) bool { return !rows[i].At.Before(t) })
	return rows[i:], next
}

// Ring keeps the newest 200,000 values.
type Ring[T any] struct {
	mu    sync.Mutex
	buf   []T
	total int
}

// Add appends a value and returns its place; the oldest falls out when the ring is
// full.
func (r *Ring[T]) Add(v T) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buf) < requestCap {
		r.buf = append(r.buf, v)
	} else {
		r.buf[r.total%requestCap] = v
	}
	r.total++
	return r.total - 1
}

// Change changes the value at a place, if it is still kept.
func (r *Ring[T]) Change(place int, f func(*T)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place >= r.total-len(r.buf) && place < r.total {
		f(&r.buf[place%requestCap])
	}
}

// Since returns the kept values from index n on, and the next index.
func (r *Ring[T]) Since(n int) ([]T, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = max(n, r.total-len(r.buf), 0)
	out := make([]T, 0, max(r.total-n, 0))
	for ; n < r.total; n++ {
		out = append(out, r.buf[n%requestCap])
	}
	return out, r.total
}

// Clear empties the ring.
func (r *Ring[T]) Clear() {
	r.mu.Lock()
	r.buf, r.total = nil, 0
	r.mu.Unlock()
}

// Hash digests business fields: the same fields in any order give the same text.
func Hash(fields map[string]string) string {
	keys := make([]string, 0, len(fields))
	for k, v := range fields {
		if v != "" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	h := sha256.New()
	for _, k := range keys {
		h.Write([]byte(k + "\x00" + fields[k] + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// HashJSON digests any value by its canonical JSON (object keys sorted).
func HashJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	var plain any
	if json.Unmarshal(raw, &plain) == nil {
		raw, _ = json.Marshal(plain)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
