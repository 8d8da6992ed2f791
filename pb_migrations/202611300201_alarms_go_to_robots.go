package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Alarms reach people in the chat groups of WeCom and DingTalk, too.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		via, ok := c.Fields.GetByName("via").(*core.SelectField)
		if !ok {
			return fmt.Errorf("notifications.via is no choice")
		}
		via.Values = append(via.Values, "wecom", "dingtalk")
		c.AddIndex("idx_notifications_alarm", false, "institution, provider_id", "event = 'alarm'")
		return app.Save(c)
	}, nil)
}
