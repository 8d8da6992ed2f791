// Package pb_migrations creates and changes the database, one Go migration per
// change, in the order of the file names. Migrations are never edited once
// released; every later change is a file of its own.
package pb_migrations

import (
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// maxFen bounds every amount field (fen).
const maxFen = 1_000_000_000_000

func base(name string, fields ...core.Field) *core.Collection {
	c := core.NewBaseCollection(name)
	c.Fields.Add(fields...)
	setRules(c)
	return c
}

func setRules(c *core.Collection) {
	r := collections.RulesOf(c.Name)
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = r.List, r.View, r.Create, r.Update, r.Delete
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

func count(name string) *core.NumberField { return integer(name, 0, 1_000_000_000) }

func flag(name string) *core.BoolField { return &core.BoolField{Name: name} }

func date(name string) *core.DateField { return &core.DateField{Name: name} }

func hiddenDate(name string) *core.DateField { return &core.DateField{Name: name, Hidden: true} }

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

// link is a relation to one record of a collection that exists already.
func link(app core.App, name, collection string, required bool) (*core.RelationField, error) {
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	return &core.RelationField{Name: name, CollectionId: c.Id, MaxSelect: 1, Required: required}, nil
}

// links adds required relations to a collection.
func links(app core.App, c *core.Collection, names map[string]string) error {
	for name, target := range names {
		f, err := link(app, name, target, true)
		if err != nil {
			return err
		}
		c.Fields.Add(f)
	}
	return nil
}

// drop is the way back of a collection that holds nothing.
func drop(app core.App, name string) error {
	c, err := app.FindCollectionByNameOrId(name)
	if err != nil {
		return err
	}
	n, err := app.CountRecords(name)
	if err != nil {
		return err
	}
	if n > 0 {
		return collections.ErrNotEmpty
	}
	return app.Delete(c)
}

// statusNames lists the states of an order as select values.
func statusNames() []string {
	var out []string
	for _, s := range refund.Statuses() {
		out = append(out, string(s))
	}
	return out
}

// notFinal is the condition of partial indexes over orders under way.
func notFinal() string {
	cond := ""
	for _, s := range refund.FinalStatuses() {
		if cond != "" {
			cond += " AND "
		}
		cond += "status != '" + string(s) + "'"
	}
	return cond
}
