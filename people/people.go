// Package people says who acted, when two are one person, what a role may, and
// that some acts take two people.
package people

// ActorKind says who moved an order.
type ActorKind string

// The kinds of actors of an event.
const (
	BySystem  ActorKind = "system"
	ByPatient ActorKind = "patient"
	ByStaff   ActorKind = "staff"
	ByChannel ActorKind = "channel"
	ByHIS     ActorKind = "his" // a system of the hospital, by its key
)

// By names who moved an order. Person is the natural person behind the
// account, where one is known; Address is where the request came from, for the
// audit log.
type By struct {
	Kind    ActorKind
	ID      string
	Person  string
	Address string
}

// Same reports whether both are one person, by account or by natural person.
func (b By) Same(other By) bool {
	return (b.ID != "" && b.ID == other.ID) || (b.Person != "" && b.Person == other.Person)
}

// System is hospay itself.
func System() By { return By{Kind: BySystem} }
