package checkup

import (
	"maps"
	"sync"
	"time"

	"hospay/flow"
)

// Health is what is known of each institution's HIS. A job writes it; requests
// read it and never ask themselves.
type Health struct {
	mu    sync.Mutex
	known map[string]Beat
}

// Beat is the last answer of a HIS.
type Beat struct {
	OK        bool      `json:"ok"`
	CheckedAt time.Time `json:"checked_at"`
	MS        int64     `json:"ms"`
	Error     string    `json:"error"`
	Failures  int       `json:"failures"` // in a row
}

// Note keeps an answer.
func (h *Health) Note(institution string, at time.Time, took time.Duration, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = map[string]Beat{}
	}
	b := Beat{OK: err == nil, CheckedAt: at, MS: took.Milliseconds()}
	if err != nil {
		b.Error, b.Failures = flow.WordsOf(err), h.known[institution].Failures+1
	}
	h.known[institution] = b
}

// All returns what is known, by institution.
func (h *Health) All() map[string]Beat {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.known)
}
