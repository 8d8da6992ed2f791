// Package pb_migrations creates and changes the tables, one Go migration per
// collection or change, in the order of the file names. Migrations are literals:
// they import nothing of the program, which changes, and are never edited once
// released; what is built here holds for all of them, past ones too. Triggers and
// access rules are not made here: the program lays them over the tables
// afterwards. How to add a migration: docs/migrations.md.
package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// maxFen bounds every amount field (fen).
const maxFen = 1_000_000_000_000

func base(name string, fields ...core.Field) *core.Collection {
	c := core.NewBaseCollection(name)
	c.Fields.Add(fields...)
	return c
}

// create saves a new collection. Its links name other collections, which exist
// already.
func create(app core.App, c *core.Collection) error {
	for _, f := range c.Fields {
		r, ok := f.(*core.RelationField)
		if !ok {
			continue
		}
		to, err := app.FindCollectionByNameOrId(r.CollectionId)
		if err != nil {
			return fmt.Errorf("%s.%s links to %s: %w", c.Name, r.Name, r.CollectionId, err)
		}
		r.CollectionId = to.Id
	}
	return app.Save(c)
}

func text(name string, limit int) *core.TextField { return &core.TextField{Name: name, Max: limit} }

func need(name string, limit int) *core.TextField {
	return &core.TextField{Name: name, Max: limit, Required: true}
}

// hidden is a text field that leaves the server only inside it: sealed values,
// blind indexes, hashes.
func hidden(name string) *core.TextField {
	return &core.TextField{Name: name, Max: 20000, Hidden: true}
}

func integer(name string, lo, hi float64) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true, Min: types.Pointer(lo), Max: types.Pointer(hi)}
}

func fen(name string) *core.NumberField { return integer(name, 0, maxFen) }

func signedFen(name string) *core.NumberField { return integer(name, -maxFen, maxFen) }

func count(name string) *core.NumberField { return integer(name, 0, 1_000_000_000) }

func flag(name string) *core.BoolField { return &core.BoolField{Name: name} }

func date(name string) *core.DateField { return &core.DateField{Name: name} }

func object(name string) *core.JSONField { return &core.JSONField{Name: name, MaxSize: 200_000} }

func one(name string, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Values: values, MaxSelect: 1}
}

func many(name string, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Values: values, MaxSelect: len(values)}
}

func created() *core.AutodateField { return &core.AutodateField{Name: "created", OnCreate: true} }

func updated() *core.AutodateField {
	return &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true}
}

// mayLink is a relation to at most one record of a collection, which is named
// here and found by create.
func mayLink(name, collection string) *core.RelationField {
	return &core.RelationField{Name: name, CollectionId: collection, MaxSelect: 1}
}

// link is a relation to one record.
func link(name, collection string) *core.RelationField {
	f := mayLink(name, collection)
	f.Required = true
	return f
}

// hiddenLink is a link that leaves the server only inside it.
func hiddenLink(name, collection string) *core.RelationField {
	f := link(name, collection)
	f.Hidden = true
	return f
}
