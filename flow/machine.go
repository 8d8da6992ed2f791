package flow

import "slices"

// State is a state of an order. The zero value is no state.
type State string

// Legal is one row of a machine's table: what may follow a state. A state that
// nothing follows is final.
type Legal struct {
	From State
	To   []State
}

// Machine is a domain's table of legal moves with the names of the tables that
// hold its orders. Compare-and-set, claims, events and triggers are generated
// from it, so that the program and the database judge by the same table.
type Machine struct {
	Orders string // table of the orders
	Events string // table of their events
	Desk   State  // where people decide (挂账); it remembers where it came from
	Starts []State
	Table  []Legal
}

// States lists all states in the order of the table.
func (m *Machine) States() []State {
	out := make([]State, len(m.Table))
	for i, l := range m.Table {
		out[i] = l.From
	}
	return out
}

// Finals lists the states that no order leaves.
func (m *Machine) Finals() []State {
	return slices.DeleteFunc(m.States(), func(s State) bool { return !m.Final(s) })
}

// Valid reports whether s is a state of the machine.
func (m *Machine) Valid(s State) bool { return m.row(s) != nil }

// Final reports whether no order leaves s.
func (m *Machine) Final(s State) bool { l := m.row(s); return l != nil && len(l.To) == 0 }

// Can reports whether an order may move from one state to the other.
func (m *Machine) Can(from, to State) bool { return slices.Contains(m.Next(from), to) }

// Next lists the states that may follow s.
func (m *Machine) Next(s State) []State {
	if l := m.row(s); l != nil {
		return slices.Clone(l.To)
	}
	return nil
}

func (m *Machine) row(s State) *Legal {
	if i := slices.IndexFunc(m.Table, func(l Legal) bool { return l.From == s }); i >= 0 {
		return &m.Table[i]
	}
	return nil
}
