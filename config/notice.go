package config

import (
	"errors"
	"fmt"
	"strconv"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/richtext"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// checkNotice makes every edit a new version, because orders refer to the text
// that their patient has read. An older version can be put back in force.
func checkNotice(_ *Service, app core.App, d *draft) error {
	_, edited := d.values["content"]
	_, titled := d.values["title"]
	if d.fresh || edited || titled {
		if err := nextVersion(app, d); err != nil {
			return err
		}
	} else if !d.rec.GetBool("active") {
		return errors.New("停用须知请改为启用另一个版本")
	}
	d.rec.Set("content", richtext.Sanitize(d.rec.GetString("content")))
	if _, err := flow.Required(richtext.Words(d.rec.GetString("content")), CodeInvalid); flow.CodeOf(err) == CodeInvalid {
		return errors.New("正文不能为空")
	} else if err != nil {
		return err
	}
	if _, ok := d.values["active"]; !ok {
		d.rec.Set("active", true)
	}
	return valid(app, d)
}

// nextVersion turns the draft into a new record with the next number. What it
// is compared with is the version that was edited, or the one in force.
func nextVersion(app core.App, d *draft) error {
	if !d.fresh {
		next := core.NewRecord(d.rec.Collection())
		next.Id = core.GenerateDefaultRandomId()
		for _, name := range []string{"institution", "kind", "title", "content"} {
			next.Set(name, d.rec.Get(name))
		}
		d.rec, d.fresh = next, true
	}
	kind := d.rec.GetString("kind")
	if kind != collections.NoticeRefund && kind != collections.NoticeProxy {
		return errors.New("种类应为 refund 或 proxy")
	}
	var versions []string
	err := app.DB().Select("version").From(collections.Notices).
		Where(dbx.HashExp{"institution": d.rec.GetString("institution"), "kind": kind}).Column(&versions)
	if err != nil {
		return err
	}
	highest := len(versions)
	for _, v := range versions {
		if n, err := strconv.Atoi(v); err == nil {
			highest = max(highest, n)
		}
	}
	d.rec.Set("version", fmt.Sprint(highest+1))
	return nil
}

// retire takes the version in force out of it, in the transaction that puts
// another one in.
func retire(tx core.App, rec *core.Record) error {
	recs, err := tx.FindRecordsByFilter(collections.Notices, "institution = {:i} && kind = {:k} && active = true && id != {:id}", "", 0, 0,
		dbx.Params{"i": rec.GetString("institution"), "k": rec.GetString("kind"), "id": rec.Id})
	if err != nil {
		return err
	}
	for _, r := range recs {
		r.Set("active", false)
		if err := tx.Save(r); err != nil {
			return err
		}
	}
	return nil
}
