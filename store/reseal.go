package store

import (
	"context"

	"hospay/collections"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// sealedField says where sealed values lie and for which purpose.
type sealedField struct {
	table, field, column string
	purpose              vault.Purpose
}

// sealedFields lists every sealed column but those of refund_orders, whose
// values the database keeps as they were, and the photos of proxies, which are
// deleted soon anyway: they stay readable through their old keys.
func sealedFields() []sealedField {
	person := func(table string, fields ...string) (out []sealedField) {
		for _, f := range fields {
			out = append(out, sealedField{table, f, f + "_sealed", vault.Person})
		}
		return out
	}
	all := append(person(collections.Patients, "name", "id_no", "phone", "wechat_openid", "mini_openid", "alipay_id"),
		person(collections.PatientCards, "card_name")...)
	all = append(all, person(collections.PaymentOrders, "secrets", "settlement")...)
	all = append(all, person(collections.ProxyApplications, "principal_name", "principal_id_no")...)
	for _, table := range []string{collections.Institutions, collections.ChannelConfigs, collections.HISConfigs, collections.SMSConfigs,
		collections.Connections, collections.CentreConfigs} {
		all = append(all, sealedField{table, "secrets", "secrets_sealed", vault.Secret})
	}
	return append(all, sealedField{collections.StaffSecurity, "totp", "totp_sealed", vault.Secret},
		sealedField{collections.ConfigChanges, "values", "sealed", vault.Secret})
}

const resealBatch = 200

// Reseal moves sealed values to the newest keys, in small transactions, and
// returns how many it moved. It can be repeated after an interruption.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	total := 0
	for _, f := range sealedFields() {
		last := ""
		for {
			n, next, err := s.resealSome(ctx, f, last)
			total += n
			if err != nil {
				return total, err
			}
			if next == "" {
				break
			}
			last = next
		}
	}
	return total, nil
}

func (s *Store) resealSome(ctx context.Context, f sealedField, after string) (n int, last string, err error) {
	var rows []struct {
		ID    string `db:"id"`
		Value string `db:"value"`
	}
	err = s.app.ConcurrentDB().NewQuery("SELECT id, " + f.column + " AS value FROM " + f.table +
		" WHERE id > {:after} ORDER BY id LIMIT {:n}").
		Bind(dbx.Params{"after": after, "n": resealBatch}).WithContext(ctx).All(&rows)
	if err != nil || len(rows) == 0 {
		return 0, "", err
	}
	err = s.transact(func(tx core.App) error {
		for _, r := range rows {
			if !s.vault.Stale(f.purpose, r.Value) {
				continue
			}
			place := vault.Place(f.table, f.field, r.ID)
			plain, err := s.vault.Open(place, r.Value)
			if err != nil {
				return err
			}
			sealed, err := s.vault.Seal(f.purpose, place, plain)
			if err != nil {
				return err
			}
			// Only if nobody has written the field meanwhile.
			if _, err := tx.DB().Update(f.table, dbx.Params{f.column: sealed}, dbx.HashExp{"id": r.ID, f.column: r.Value}).Execute(); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, rows[len(rows)-1].ID, err
}
