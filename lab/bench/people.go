package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"hospay/collections"
	"hospay/lab/demo"

	"github.com/pocketbase/dbx"
)

const (
	ordersOfOne = 5 // an order of the past has four others of the same patient
	cardOfPast  = "C0000000000007"
)

// someone is the number of a patient of the past, spread over the orders.
func someone(people int) string {
	return fmt.Sprintf("(({:from} + x) * 2654435761 & 4294967295) %% %d", people)
}

func somebody(mark string, people int) string {
	return "printf('" + mark + "%013d', " + someone(people) + ")"
}

// insertPastPeople plants patients until there are n of the past. One of five
// thousand is called as the patient who is searched for, and one of ten thousand
// is found by the same digits of a phone.
func insertPastPeople(db *dbx.DB, n int) error {
	var have int
	if err := db.NewQuery("SELECT COUNT(*) FROM patients WHERE id LIKE 'bq%'").Row(&have); err != nil {
		return err
	}
	id := func(mark string) string { return "printf('" + mark + "%013d', {:from} + x - 1)" }
	err := copied(db, collections.Patients, "(SELECT * FROM patients LIMIT 1) m", map[string]string{
		"id": id("bq"), "patient_no": id("BP"), "tokenKey": "lower(hex(randomblob(25)))", "id_index": "lower(hex(randomblob(32)))",
		"wechat_index": "''", "alipay_index": "''", "mini_index": "''", "union_index": "''",
	}, have, n-have)
	if err != nil {
		return err
	}
	err = copied(db, collections.PatientCards, "(SELECT * FROM patient_cards LIMIT 1) m", map[string]string{
		"id": id("bc"), "patient": id("bq"), "card_no": id("C"), "deposits": "'[]'"}, have, n-have)
	if err != nil {
		return err
	}
	for _, of := range []string{"name", "phone", "tail"} {
		err := copied(db, collections.PersonTerms, "(SELECT 'patient' AS kind) m", map[string]string{
			"id": id(of[:2]), "owner": id("bq"), "term": "lower(hex(randomblob(12)))"}, have, n-have)
		if err != nil {
			return err
		}
	}
	var terms []struct{ Term, Every, Rest string }
	const name = "CASE WHEN term IN (SELECT term FROM person_terms WHERE kind = 'card') "
	err = db.NewQuery("SELECT term, " + name + "THEN 5000 ELSE 10000 END AS every, " + name + "THEN 1 ELSE 2 END AS rest FROM person_terms " +
		"WHERE kind = 'patient' AND owner = (SELECT id FROM patients WHERE patient_no = 'P0002')").All(&terms)
	for _, t := range terms {
		const number = "CAST(substr(id, 3) AS INTEGER)"
		_, e := db.NewQuery("INSERT INTO person_terms (id, kind, owner, term) " +
			"SELECT substr(lower(hex(randomblob(8))), 1, 15), 'patient', id, {:term} FROM patients " +
			"WHERE id LIKE 'bq%' AND " + number + " >= {:have} AND " + number + " % " + t.Every + " = " + t.Rest).
			Bind(dbx.Params{"have": have, "term": t.Term}).Execute()
		err = errors.Join(err, e)
	}
	return err
}

func (b *bench) login(n int) error {
	b.people = make([]*demo.Person, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				p, err := b.api.Login(context.Background(), b.at.Portal, fmt.Sprintf("P%04d", i+1), []string{"wechat", "alipay"}[i%2])
				if err != nil {
					errs <- err
					return
				}
				b.people[i] = p
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}
