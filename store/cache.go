package store

import (
	"sync"
	"time"

	"hospay/centre"
	"hospay/channels"
	"hospay/payment"
	"hospay/refund"
)

// configAge is how old a cached setting may be. It also bounds how long a
// freeze by another process takes to be seen.
const configAge = time.Second

// configCache keeps what every step of every order asks for. Entries are read
// again after configAge; connections are rebuilt only when their record has
// changed.
type configCache struct {
	mu           sync.Mutex
	forgotten    int // how often, so that what was read before is not kept after
	institutions map[string]cached[refund.Institution]
	channels     map[string]cached[channels.Channel]
	his          map[string]cached[hisConnection]
	centres      map[string]cached[*centre.Client]
	inForce      map[string]cached[string] // ids of connections, by institution and name
	scenes       map[string]cached[map[payment.Kind]payment.Scene]
	on           map[string]cached[bool] // channels, by institution and name
}

type cached[T any] struct {
	value   T
	read    time.Time
	updated string
}

type hisConnection struct {
	his    refund.HIS
	traits refund.HISTraits
}

// Forget drops cached settings, after a change of a configuration record.
func (s *Store) Forget() {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.forgotten++
	s.cache.institutions, s.cache.channels, s.cache.his, s.cache.centres, s.cache.inForce = nil, nil, nil, nil, nil
	s.cache.scenes, s.cache.on = nil, nil
}

// reading is a look into the cache: what is there, and the moment since when
// something newer may have been written.
type reading[T any] struct {
	cached[T]
	known     bool
	at        time.Time
	forgotten int
}

func (r reading[T]) fresh() bool { return r.known && r.at.Sub(r.read) < configAge }

// recall looks an entry up.
func recall[T any](c *configCache, in *map[string]cached[T], key string, at time.Time) reading[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := (*in)[key]
	return reading[T]{have, ok, at, c.forgotten}
}

// keep stores what was read since r, unless settings have changed meanwhile.
func keep[T any](c *configCache, in *map[string]cached[T], key string, r reading[T], value T, updated string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != r.forgotten {
		return
	}
	if *in == nil {
		*in = map[string]cached[T]{}
	}
	(*in)[key] = cached[T]{value: value, read: r.at, updated: updated}
}
