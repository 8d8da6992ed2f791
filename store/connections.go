package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// A connection is whom a call is sent to: one merchant and app of a channel, one
// HIS, or one hospital and app at an insurance centre, at one address. A call names its connection when its intent is
// written and is asked for, repeated and cancelled there until it is final,
// whatever the configuration is by then (DESIGN rule 11). Keys, settings and
// traits may change within a connection; another merchant, app or address is
// another connection.

// The names of connections to a HIS and to an insurance centre; the others have
// the name of their channel.
const (
	connectionHIS    = "his"
	connectionCentre = "centre"
)

type connectionRow struct {
	configRow
	Institution string `db:"institution"`
	Name        string `db:"name"`
	Party       string `db:"party"`
	Current     bool   `db:"current"`
	Config      string `db:"config"`
	Seen        string `db:"config_updated"`
}

// party is the identity of the other side.
func (r configRow) party() string {
	base := strings.ToLower(strings.TrimRight(strings.TrimSpace(r.Base), "/"))
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Kind, strings.TrimSpace(r.MerchantID), strings.TrimSpace(r.AppID), base}, "\x00")))
	return hex.EncodeToString(sum[:])
}

const (
	channelConfigSQL = `SELECT id, channel AS kind, merchant_id, app_id, api_base AS base, notify_base, settings, secrets_sealed, updated,
		'' AS label, 0 AS timeout_ms, FALSE AS queryable, FALSE AS idempotent, FALSE AS reversible
		FROM channel_configs WHERE institution = {:inst} AND channel = {:name}`
	hisConfigSQL = `SELECT id, kind, '' AS merchant_id, '' AS app_id, base_url AS base, '' AS notify_base, mapping AS settings, secrets_sealed,
		updated, '' AS label, timeout_ms, queryable, idempotent, reversible FROM his_configs WHERE institution = {:inst} AND active = TRUE`
	centreConfigSQL = `SELECT id, 'centre' AS kind, org_code AS merchant_id, app_id, base_url AS base, '' AS notify_base, region AS settings,
		secrets_sealed, updated, org_name AS label, timeout_ms, FALSE AS queryable, FALSE AS idempotent, FALSE AS reversible
		FROM centre_configs WHERE institution = {:inst} AND active = TRUE`
)

// configOf reads the configuration in force and names its collection.
func configOf(ctx context.Context, db dbx.Builder, institution, name string) (r configRow, collection string, err error) {
	query, collection, off := channelConfigSQL, collections.ChannelConfigs, flow.NewError(flow.CodeChannelOff, name)
	switch name {
	case connectionHIS:
		query, collection, off = hisConfigSQL, collections.HISConfigs, flow.NewError(flow.CodeHISUnavailable, "没有配置 HIS，或没有启用：请在系统配置 → HIS 填写")
	case connectionCentre:
		query, collection, off = centreConfigSQL, collections.CentreConfigs, flow.NewError(payment.CodeInsuranceOff, "no centre is configured")
	}
	err = db.NewQuery(query).Bind(dbx.Params{"inst": institution, "name": name}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		err = off
	}
	return r, collection, err
}

// connect returns the connection in force, and keeps what has changed in it. A
// new intent is sent through it.
func (s *Store) connect(ctx context.Context, db dbx.Builder, institution, name string) (string, error) {
	have := recall(&s.cache, &s.cache.inForce, institution+"/"+name, s.now())
	if have.fresh() {
		return have.value, nil
	}
	config, collection, err := configOf(ctx, db, institution, name)
	if err != nil {
		return "", err
	}
	r := connectionRow{Institution: institution, Name: name, Party: config.party()}
	err = db.Select("*").From(collections.Connections).
		Where(dbx.HashExp{"institution": institution, "name": name, "party": r.Party}).WithContext(ctx).One(&r)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	if r.ID == "" || !r.Current || r.Config != config.ID || r.Seen != config.Updated {
		// Not kept in memory: the transaction may still be taken back.
		return s.keepConnection(db, r, config, collection)
	}
	keep(&s.cache, &s.cache.inForce, institution+"/"+name, have, r.ID, config.Updated)
	return r.ID, nil
}

// keepConnection writes what the configuration says now into the connection of
// its party, and puts it in force.
func (s *Store) keepConnection(db dbx.Builder, r connectionRow, config configRow, collection string) (string, error) {
	id, now := r.ID, stamp(s.now())
	if id == "" {
		id = newID()
	}
	sealed, err := s.resealed(collection, config, id)
	if err != nil {
		return "", err
	}
	_, err = db.Update(collections.Connections, dbx.Params{"current": false, "left_at": now}, dbx.And(
		dbx.HashExp{"institution": r.Institution, "name": r.Name, "current": true}, dbx.NewExp("id != {:id}", dbx.Params{"id": id}))).Execute()
	if err != nil {
		return "", err
	}
	row := dbx.Params{
		"current": true, "left_at": "", "config": config.ID, "config_updated": config.Updated, "kind": config.Kind,
		"merchant_id": strings.TrimSpace(config.MerchantID), "app_id": strings.TrimSpace(config.AppID), "base": config.Base,
		"notify_base": config.NotifyBase, "settings": jsonRaw(config.Settings),
		"secrets_sealed": sealed, "timeout_ms": config.TimeoutMS, "queryable": config.Queryable, "idempotent": config.Idempotent,
		"reversible": config.Reversible, "label": config.Label, "updated": now,
	}
	if r.ID != "" {
		if _, err = db.Update(collections.Connections, row, dbx.HashExp{"id": id}).Execute(); err != nil {
			return id, err
		}
		return id, s.shareKeys(db, r.Institution, r.Name, id, config, collection)
	}
	version := 0
	err = db.Select("COALESCE(MAX(version), 0)").From(collections.Connections).
		Where(dbx.HashExp{"institution": r.Institution, "name": r.Name}).Row(&version)
	if err != nil {
		return "", err
	}
	row["id"], row["institution"], row["name"], row["party"], row["version"], row["created"] = id, r.Institution, r.Name, r.Party, version+1,
		now
	if _, err = db.Insert(collections.Connections, row).Execute(); err != nil {
		return id, err
	}
	return id, s.shareKeys(db, r.Institution, r.Name, id, config, collection)
}

// shareKeys gives new keys of a merchant's application to its connections at
// other addresses, too: a rotation ends the old keys there as well. A HIS at
// another address may be another system and keeps its own.
func (s *Store) shareKeys(db dbx.Builder, institution, name, id string, config configRow, collection string) error {
	if name == connectionHIS || config.Sealed == "" {
		return nil
	}
	var others []string
	err := db.Select("id").From(collections.Connections).Where(dbx.And(dbx.HashExp{"institution": institution, "name": name,
		"merchant_id": strings.TrimSpace(config.MerchantID), "app_id": strings.TrimSpace(config.AppID)},
		dbx.NewExp("id != {:id} AND secrets_sealed != ''", dbx.Params{"id": id}))).Column(&others)
	for _, other := range others {
		sealed, e := s.resealed(collection, config, other)
		if e == nil {
			_, e = db.Update(collections.Connections, dbx.Params{"secrets_sealed": sealed, "updated": stamp(s.now())},
				dbx.HashExp{"id": other}).Execute()
		}
		err = errors.Join(err, e)
	}
	return err
}

// resealed are the keys of a configuration, sealed for a connection.
func (s *Store) resealed(collection string, config configRow, connection string) (string, error) {
	if config.Sealed == "" {
		return "", nil
	}
	plain, err := s.vault.Open(vault.Place(collection, "secrets", config.ID), config.Sealed)
	if err != nil {
		return "", err
	}
	return s.vault.Seal(vault.Secret, vault.Place(collections.Connections, "secrets", connection), plain)
}

func jsonRaw(raw types.JSONRaw) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}

// KeepConnection notes the connection that a configuration record stands for.
// It runs in the transaction that writes the record, so that a changed merchant
// or address is another connection from that moment on.
func (s *Store) KeepConnection(ctx context.Context, tx core.App, rec *core.Record) error {
	if name := connectionName(rec); name != connectionHIS && name != connectionCentre || rec.GetBool("active") {
		s.Forget()
		_, err := s.connect(ctx, tx.DB(), rec.GetString("institution"), name)
		return err
	}
	return nil
}

func connectionName(rec *core.Record) string {
	switch rec.Collection().Name {
	case collections.ChannelConfigs:
		return rec.GetString("channel")
	case collections.CentreConfigs:
		return connectionCentre
	}
	return connectionHIS
}

// KeepConnections notes the connections of all configurations; when a program
// opens a folder whose calls name none yet, these are theirs. The error names
// those that cannot be noted; they stop no other.
func (s *Store) KeepConnections(ctx context.Context) error {
	var rows []struct {
		Institution string `db:"institution"`
		Name        string `db:"name"`
	}
	err := s.app.ConcurrentDB().NewQuery(`SELECT institution, channel AS name FROM channel_configs
		UNION SELECT institution, 'his' FROM his_configs WHERE active = TRUE
		UNION SELECT institution, 'centre' FROM centre_configs WHERE active = TRUE`).WithContext(ctx).All(&rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		e := s.transact(func(tx core.App) error {
			_, err := s.connect(ctx, tx.DB(), r.Institution, r.Name)
			return err
		})
		if e != nil {
			err = errors.Join(err, fmt.Errorf("机构 %s 的连接 %s：%w", r.Institution, r.Name, e))
		}
	}
	return err
}

// nameConnections gives new calls the connection that is in force when their intent is
// written. A reversal goes to the HIS that has debited, and brings its own.
func (s *Store) nameConnections(ctx context.Context, db dbx.Builder, c *refund.Change) (err error) {
	through := map[*flow.Call]string{c.Debit: connectionHIS, c.Reversal: connectionHIS}
	if c.Transfer != nil {
		through[&c.Transfer.Call] = c.Order.Channel
	}
	return s.nameCalls(ctx, db, c.Order.Institution, through)
}

// nameCalls gives calls that name no connection the one of that name which is in
// force.
func (s *Store) nameCalls(ctx context.Context, db dbx.Builder, institution string, through map[*flow.Call]string) (err error) {
	for call, name := range through {
		if call == nil || call.Connection != "" {
			continue
		}
		if call.Connection, err = s.connect(ctx, db, institution, name); err != nil {
			return err
		}
	}
	return nil
}

// firstConnections names the connection of calls that were written before calls
// named theirs: it is the first of its name.
func firstConnections(ctx context.Context, db dbx.Builder, w *refund.Work) error {
	through := map[*flow.Call]string{w.Debit: connectionHIS, w.Reversal: connectionHIS}
	if w.Transfer != nil {
		through[&w.Transfer.Call] = w.Order.Channel
	}
	for call, name := range through {
		if call == nil || call.Connection != "" {
			continue
		}
		err := db.Select("id").From(collections.Connections).Where(dbx.HashExp{"institution": w.Order.Institution, "name": name}).
			OrderBy("version").Limit(1).WithContext(ctx).Row(&call.Connection)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// connectionRow reads a connection by its id.
func (s *Store) connectionRow(ctx context.Context, id string) (r connectionRow, err error) {
	err = s.app.ConcurrentDB().Select("*").From(collections.Connections).Where(dbx.HashExp{"id": id}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("connection %q of a call is not there", id)
	}
	return r, err
}

// ChannelOf returns the connection that a number was sent through.
func (s *Store) ChannelOf(ctx context.Context, connection string) (refund.Channel, error) {
	return s.ConnectionOf(ctx, connection)
}

// ConnectionOf is ChannelOf with all the ports that channels have.
func (s *Store) ConnectionOf(ctx context.Context, connection string) (channels.Channel, error) {
	have := recall(&s.cache, &s.cache.channels, connection, s.now())
	if have.fresh() {
		return have.value, nil
	}
	r, err := s.connectionRow(ctx, connection)
	if err != nil {
		return nil, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildChannel(r.Institution, collections.Connections, r.configRow); err != nil {
			return nil, flow.NewError(flow.CodeChannelBroken, fmt.Sprintf("渠道 %s（商户 %s）的连接有误：%v", r.Name, r.MerchantID, err))
		}
	}
	keep(&s.cache, &s.cache.channels, connection, have, value, r.Updated)
	return value, nil
}

// HISOf returns the HIS that a number was sent to.
func (s *Store) HISOf(ctx context.Context, connection string) (refund.HIS, refund.HISTraits, error) {
	have := recall(&s.cache, &s.cache.his, connection, s.now())
	if have.fresh() {
		return have.value.his, have.value.traits, nil
	}
	r, err := s.connectionRow(ctx, connection)
	if err != nil {
		return nil, refund.HISTraits{}, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildHIS(r.Institution, collections.Connections, r.configRow); err != nil {
			return nil, refund.HISTraits{}, flow.NewError(flow.CodeHISBroken, fmt.Sprintf("HIS（%s）的连接有误：%v", r.Base, err))
		}
	}
	keep(&s.cache, &s.cache.his, connection, have, value, r.Updated)
	return value.his, value.traits, nil
}
