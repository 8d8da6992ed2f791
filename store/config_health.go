package store

import (
	"context"
	"fmt"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/notify"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// WithHIS lists the active institutions that have a HIS.
func (s *Store) WithHIS(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.app.ConcurrentDB().NewQuery("SELECT i.id FROM institutions i JOIN his_configs h ON h.institution = i.id AND h.active = TRUE " +
		"WHERE i.active = TRUE ORDER BY i.code").
		WithContext(ctx).Column(&ids)
	return ids, err
}

// ChannelLink is a channel that an institution has switched on.
type ChannelLink struct {
	Institution string `db:"institution"`
	Channel     string `db:"channel"`
}

// ActiveChannels lists the channels that are on.
func (s *Store) ActiveChannels(ctx context.Context) ([]ChannelLink, error) {
	var out []ChannelLink
	err := s.app.ConcurrentDB().Select("institution", "channel").From(collections.ChannelConfigs).Where(dbx.HashExp{"active": true}).
		OrderBy("institution", "channel DESC").WithContext(ctx).All(&out)
	return out, err
}

// NoticeCertificate is the event of a certificate that is about to expire.
const NoticeCertificate flow.NoticeEvent = "certificate"

// ExpiringCertificate is a certificate that has come to a warning (Step, in days).
type ExpiringCertificate struct {
	Channel, Label, ID string
	Expires            time.Time
	Days, Step         int
}

// WarnCertificate tells the staff of an institution, once per certificate and
// step, and reports whether it was new.
func (s *Store) WarnCertificate(institution string, c ExpiringCertificate) (bool, error) {
	key := s.vault.Index("certificate", fmt.Sprintf("%s|%s|%s|%d", institution, c.Channel, c.ID, c.Step))
	fresh := false
	err := s.transact(func(tx core.App) error {
		var n int
		err := tx.DB().Select("COUNT(*)").From(collections.Notifications).
			Where(dbx.HashExp{"institution": institution, "event": string(NoticeCertificate), "provider_id": key}).Row(&n)
		if err != nil || n > 0 {
			return err
		}
		fresh = true
		ways := []string{notify.ViaInApp}
		if s.app.Settings().SMTP.Enabled {
			ways = append(ways, notify.ViaEmail)
		}
		row := dbx.Params{"institution": institution, "event": string(NoticeCertificate), "staff": true, "provider_id": key,
			"title": i18n.Text(i18n.Default, "notice.certificate.title"),
			"body": i18n.Text(i18n.Default, "notice.certificate.body", "what", i18n.Text(i18n.Default, "channel."+c.Channel)+" "+c.Label,
				"date", c.Expires.In(calendar.Beijing).Format(time.DateOnly), "days", fmt.Sprint(max(c.Days, 0)), "id", c.ID)}
		for _, via := range ways {
			if err := insertNotice(tx, row, via, noticeData{}, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}
