package gate

import (
	"sync"

	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/core"
)

// How many realtime streams may be open at a time. A stream begins with nobody
// known: pages say who listens once it is open. Until then it counts for the
// network that it comes from, afterwards for the account.
const (
	StreamsOfNetwork = 100
	StreamsOfAccount = 20
	StreamsOfGuests  = 2000 // of all networks
)

// streams counts those that are open, by who holds them.
type streams struct {
	mu     sync.Mutex
	of     map[string]int
	guests int
}

// stream is one of them: who it counts for, and what takes it out.
type stream struct {
	who   string
	leave func()
}

// streamKey is where a realtime client keeps its stream.
const streamKey = "hospay_stream"

// enter counts a stream, or reports that there are too many.
func (s *streams) enter(who string, guest bool) (stream, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := StreamsOfAccount
	if guest {
		most = StreamsOfNetwork
	}
	if s.of[who] >= most || guest && s.guests >= StreamsOfGuests {
		return stream{}, false
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.of[who]++
	if guest {
		s.guests++
	}
	return stream{who, sync.OnceFunc(func() { s.left(who, guest) })}, true
}

func (s *streams) left(who string, guest bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who]--; s.of[who] <= 0 {
		delete(s.of, who)
	}
	if guest {
		s.guests--
	}
}

func (g *Gate) bindStreams() {
	g.App.OnRealtimeConnectRequest().BindFunc(g.opened)
	g.App.OnRealtimeSubscribeRequest().BindFunc(g.listened)
}

// opened holds a place for a stream until it ends.
func (g *Gate) opened(e *core.RealtimeConnectRequestEvent) error {
	if !g.Limited {
		return e.Next()
	}
	s, ok := g.streams.enter(Network(e.RealIP()), true)
	if !ok {
		return kit.TooMany()
	}
	e.Client.Set(streamKey, s)
	defer func() {
		if now, ok := e.Client.Get(streamKey).(stream); ok {
			now.leave()
		}
	}()
	return e.Next()
}

// listened gives the place of a guest back once it is known who listens.
func (g *Gate) listened(e *core.RealtimeSubscribeRequestEvent) error {
	s, ok := e.Client.Get(streamKey).(stream)
	if !ok || e.Auth == nil || s.who == e.Auth.Id {
		return e.Next()
	}
	own, ok := g.streams.enter(e.Auth.Id, false)
	if !ok {
		return kit.TooMany()
	}
	if err := e.Next(); err != nil {
		own.leave()
		return err
	}
	e.Client.Set(streamKey, own)
	s.leave()
	return nil
}
