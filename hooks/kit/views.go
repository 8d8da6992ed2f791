package kit

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"
)

// Items is a list that is told whole.
type Items[T any] struct {
	Items []T `json:"items"`
}

// Page is a page of a list with the count of all; more says that there are others
// beyond those that were counted.
type Page[T any] struct {
	Items   []T  `json:"items"`
	Count   int  `json:"count"`
	More    bool `json:"more"`
	Page    int  `json:"page"`
	PerPage int  `json:"per_page"`
}

// Queued says that something will be done soon.
type Queued struct {
	Queued bool `json:"queued"`
}

// Shown is a record with what an answer says beside its public fields. T names
// the record's collection in the tag of a blank field: _ struct{} `record:"…"`.
type Shown[T any] struct {
	Record *core.Record
	More   T
}

// MarshalJSON writes the record's public fields and, over them, those of More.
func (s Shown[T]) MarshalJSON() ([]byte, error) {
	more, err := json.Marshal(s.More)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(more, &fields); err != nil {
		return nil, err
	}
	out := s.Record.PublicExport()
	for key, value := range fields {
		out[key] = value
	}
	return json.Marshal(out)
}
