// Package his holds what all HIS adapters share: their registry and their
// configuration. An adapter is a sub-package that speaks one style of
// interface, driven by a mapping which the hospital's IT keeps in the
// dashboard; main registers it by name.
package his

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"hospay/payment"
	"hospay/refund"
)

// Config is one institution's connection to its HIS.
type Config struct {
	Institution string
	Kind        string            // rest, soap
	BaseURL     string            // address of the interface; mappings may add paths
	Mapping     json.RawMessage   // operation names, templates, paths of answer fields, codes, units, charset
	Secrets     map[string]string // passwords and keys, decrypted
	Timeout     time.Duration     // of one call; 0 = 8 s
	Transport   http.RoundTripper // nil = the adapter's guarded transport
	Now         func() time.Time  // nil = time.Now
	Tap         Tap               // told of every request, when set (probes)
}

// Tap hears what was sent for an operation and what came back, byte for byte, or
// why nothing did. It is for people who look for the fault in a mapping; what it
// hears holds personal data and keys.
type Tap func(op string, sent, received []byte, err error)

func (c Config) clock() func() time.Time {
	if c.Now != nil {
		return c.Now
	}
	return time.Now
}

// HIS is one connection: deposits and, as far as its mapping goes, bills.
type HIS interface {
	refund.HIS
	payment.HIS
	// Features says for IT what of bills the mapping offers.
	Features() []Feature
}

// Factory builds an adapter and fails, in Chinese for the person who
// configures, on a mapping that is incomplete or unreadable.
type Factory func(Config) (HIS, error)

var kinds = map[string]Factory{}

// Register adds an adapter kind. It is called from main before anything else.
func Register(name string, f Factory) { kinds[name] = f }

// New builds the adapter that the configuration names.
func New(cfg Config) (HIS, error) {
	f, ok := kinds[cfg.Kind]
	if !ok {
		return nil, fmt.Errorf("未知的 HIS 接口类型 %q", cfg.Kind)
	}
	return f(cfg)
}

// Kinds lists the registered adapters in order.
func Kinds() []string {
	var names []string
	for n := range kinds {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
