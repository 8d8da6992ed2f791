package gate

import (
	"fmt"
	"testing"
)

// TestStreams_InAll: the streams of strangers are bounded in all, whatever
// networks they come from, and each gives its place back once.
func TestStreams_InAll(t *testing.T) {
	var s streams
	var open []stream
	for i := 0; ; i++ {
		one, ok := s.enter(fmt.Sprintf("10.0.%d.%d", i/250, i%250), true)
		if !ok {
			break
		}
		open = append(open, one)
	}
	if len(open) != StreamsOfGuests {
		t.Errorf("%d streams of strangers", len(open))
	}
	if _, ok := s.enter("account", false); !ok {
		t.Error("whoever is known is kept out by strangers")
	}
	for range 2 {
		for _, one := range open {
			one.leave()
		}
	}
	if s.guests != 0 || len(s.of) != 1 {
		t.Errorf("%d guests and %d holders are left", s.guests, len(s.of))
	}
}
