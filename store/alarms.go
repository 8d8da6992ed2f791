package store

import (
	"fmt"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/notify"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// NoticeAlarm is the event of an alert rule that stands.
const NoticeAlarm flow.NoticeEvent = "alarm"

// Alarm is what people are told of a rule that stands.
type Alarm struct {
	Key         string // of the rule and what it stands for
	Institution string // empty: of the whole installation, all are told
	Summary     string
	Todo        string
	Since       time.Time
}

// TellAlarm tells the staff of an alarm, once a day as long as it stands, and
// returns how many institutions were told: in the console, by e-mail where there
// is a mail server, and in the chat groups whose robots were entered.
func (s *Store) TellAlarm(a Alarm) (int, error) {
	told := 0
	err := s.transact(func(tx core.App) error {
		told = 0
		houses, err := tx.FindRecordsByFilter(collections.Institutions, "active = true && ({:id} = '' || id = {:id})", "code", 0, 0,
			dbx.Params{"id": a.Institution})
		if err != nil {
			return err
		}
		for _, house := range houses {
			fresh, err := s.tellHouse(tx, house, a)
			if err != nil {
				return err
			}
			if fresh {
				told++
			}
		}
		return nil
	})
	return told, err
}

func (s *Store) tellHouse(tx core.App, house *core.Record, a Alarm) (bool, error) {
	now := s.now()
	key := s.vault.Index("alarm", fmt.Sprintf("%s|%s|%s", house.Id, a.Key, now.In(calendar.Beijing).Format(time.DateOnly)))
	var n int
	err := tx.DB().Select("COUNT(*)").From(collections.Notifications).
		Where(dbx.HashExp{"institution": house.Id, "event": string(NoticeAlarm), "provider_id": key}).Row(&n)
	if err != nil || n > 0 {
		return false, err
	}
	robots, err := s.RecordSecrets(house)
	if err != nil {
		return false, err
	}
	row := dbx.Params{"institution": house.Id, "event": string(NoticeAlarm), "staff": true, "provider_id": key, "title": "报警：" + a.Summary,
		"body": fmt.Sprintf("%s，自 %s。%s。", a.Summary, a.Since.In(calendar.Beijing).Format("01-02 15:04"), a.Todo)}
	for via, on := range map[string]bool{notify.ViaInApp: true, notify.ViaEmail: s.app.Settings().SMTP.Enabled,
		notify.ViaWeCom: robots[RobotWeCom] != "", notify.ViaDingTalk: robots[RobotDingTalk] != ""} {
		if on {
			if err := insertNotice(tx, row, via, noticeData{}, now); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// The secrets of an institution that hold the addresses of its robots.
const (
	RobotWeCom        = "alarm_wecom"
	RobotDingTalk     = "alarm_dingtalk"
	RobotDingTalkSign = "alarm_dingtalk_sign"
)

// Robots are the addresses of an institution's robots, with their keys.
func (s *Store) Robots(institution string) (map[string]string, error) {
	rec, err := s.app.FindRecordById(collections.Institutions, institution)
	if err != nil {
		return nil, err
	}
	return s.RecordSecrets(rec)
}

// Held counts, by institution, payouts that wait for the merchant's account to be
// filled up or freed.
func (s *Store) Held() (map[string]int, error) {
	out := map[string]int{}
	rows, err := s.app.ConcurrentDB().NewQuery("SELECT i.id, (SELECT COUNT(*) FROM transfer_orders t WHERE t.institution = i.id " +
		"AND t.state = 'held') FROM institutions i WHERE i.active = TRUE").Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return nil, err
		}
		out[id] = n
	}
	return out, rows.Err()
}
