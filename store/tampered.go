package store

import (
	"context"
	"errors"
	"fmt"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// IsTampering tells guards that are not the program's from trouble with reading
// them.
func IsTampering(err error) bool {
	_, is := errors.AsType[*collections.Tampering](err)
	return is
}

// Tampered stops the payouts of every institution when the guards in the database
// are not those of the program, as found says; trouble with reading them is no
// reason. It holds whatever the database lets be written: this process pays
// nothing any more until Whole says that the guards are whole again. Institutions
// whose payouts run are frozen, which people end, and their staff is told. It
// returns how many were frozen.
func (s *Store) Tampered(ctx context.Context, found error) (int, error) {
	t, is := errors.AsType[*collections.Tampering](found)
	if !is {
		return 0, nil
	}
	why := t.What
	if !s.tampered.Swap(true) {
		s.Forget()
	}
	frozen := 0
	err := s.transact(func(tx core.App) error {
		houses, err := tx.FindAllRecords(collections.Institutions, dbx.HashExp{"payouts_frozen": false})
		if err != nil || len(houses) == 0 {
			return err
		}
		frozen = len(houses)
		err = Audit(tx, AuditEntry{ActorKind: "system", Action: "guards.tampered", Details: map[string]any{"why": why, "frozen": frozen}})
		for _, house := range houses {
			if err != nil {
				return err
			}
			house.Set("payouts_frozen", true)
			house.Set("freeze_note", clip(why, 500))
			if err = tx.Save(house); err == nil {
				err = AuditFreeze(tx, house, "system", "", "")
			}
			if err == nil {
				err = s.tellTampered(tx, house.Id, why)
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("出款已在本程序内停止，但冻结没有写入数据库：%w", err)
	}
	return frozen, nil
}

// Whole ends what Tampered has begun in this process, and wakes what has waited
// for it. What was frozen stays so until people end it.
func (s *Store) Whole(ctx context.Context) error {
	if !s.tampered.Swap(false) {
		return nil
	}
	s.Forget()
	var houses []string
	err := s.app.ConcurrentDB().Select("id").From(collections.Institutions).Where(dbx.HashExp{"payouts_frozen": false}).WithContext(ctx).
		Column(&houses)
	for _, id := range houses {
		err = errors.Join(err, s.WakeStopped(ctx, id))
	}
	return err
}

// TellBrokenChain tells the staff of every institution, once per row, that the
// audit log is not as it was written.
func (s *Store) TellBrokenChain(ctx context.Context, b AuditBreak) error {
	why := b.String()
	return s.transact(func(tx core.App) error {
		var told int
		err := tx.DB().Select("COUNT(*)").From(collections.AuditLog).Where(dbx.HashExp{"action": "audit.broken", "target": fmt.Sprint(b.Seq)}).
			WithContext(ctx).Row(&told)
		if err != nil || told > 0 {
			return err
		}
		var houses []string
		if err := tx.DB().Select("id").From(collections.Institutions).Column(&houses); err != nil {
			return err
		}
		for _, id := range houses {
			if err := s.tellTampered(tx, id, why); err != nil {
				return err
			}
		}
		return Audit(tx, AuditEntry{ActorKind: "system", Action: "audit.broken", Target: fmt.Sprint(b.Seq),
			Details: map[string]any{"reason": b.Reason}})
	})
}

func (s *Store) tellTampered(tx core.App, institution, why string) error {
	values := map[string]string{"what": why, "time": s.now().In(calendar.Beijing).Format("2006-01-02 15:04")}
	return s.tell(tx, told{institution: institution, values: values}, flow.Notice{Event: flow.NoticeTampered, Staff: true, At: s.now()})
}

// String says in words which row is not as it was written.
func (b AuditBreak) String() string {
	why := map[string]string{brokenEdited: "被改动", brokenMissing: "缺失", brokenUnkeyed: "不是本程序写入的", brokenKey: "所用的审计密钥不在密钥文件里，无法核对",
		brokenAnchor: "与别处留存的校验值不符，或日志末尾被截掉"}[b.Reason]
	return fmt.Sprintf("审计日志第 %d 行%s", b.Seq, why)
}
