package config

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
)

// checkPerson lets no account go without the person behind it: two accounts of
// one person are not two people.
func checkPerson(s *Service, app core.App, d *draft) error {
	if id, told := d.given["id_no"]; id == "" && (told || d.fresh) {
		return errors.New("须填写身份证号：同一个人的两个账号不算两个人")
	}
	return checkStaff(s, app, d)
}
