package channels

import (
	"slices"
	"time"
)

// FieldKind says how a page asks for a value.
type FieldKind string

// The kinds of fields.
const (
	FieldText   FieldKind = "text"
	FieldNumber FieldKind = "number"
	FieldBool   FieldKind = "bool"
	FieldChoice FieldKind = "choice"
	FieldMany   FieldKind = "many" // some of the choices, joined by commas
	FieldFen    FieldKind = "fen"  // an amount; pages ask for it in yuan
	FieldPEM    FieldKind = "pem"  // a secret of many lines
)

// Choice is a value that a field takes, and the Chinese word for it.
type Choice [2]string

// Methods are the choices of the setting "methods".
func Methods() []Choice { return []Choice{{"original", "原路退"}, {"transfer", "转账退"}} }

// Field describes one setting or secret that a channel kind reads. The list is
// data for pages and documents; a contract test compares it with what the
// parser asks for.
type Field struct {
	Name    string
	Label   string // Chinese
	Kind    FieldKind
	Choices []Choice // of FieldChoice, whose first is the default, and FieldMany
	Default string
	Help    string // Chinese, one sentence
	Secret  bool   // kept sealed, never shown
}

var described = map[string][]Field{}

// Describe returns the fields of a registered kind, in the order of the page.
func Describe(name string) []Field {
	kindsMu.RLock()
	defer kindsMu.RUnlock()
	return slices.Clone(described[name])
}

// Credential is a key or certificate of a configured channel. ID is its public
// name; Expires is zero where it does not expire or nothing says when.
type Credential struct {
	What    string // merchant_cert, platform_cert, public_key, app_cert, alipay_cert, alipay_root_cert
	ID      string
	Subject string
	Expires time.Time
}

// Credentials lists the keys and certificates that a channel works with.
type Credentials interface{ Credentials() []Credential }
