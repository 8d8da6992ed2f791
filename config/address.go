package config

import (
	"fmt"

	"hospay/collections"
	"hospay/internal/wire"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Where requests may go. A machine's own link, with the metadata of clouds, is
// never called. In production, channels and HIS are called by HTTPS, unless the
// address lies inside the house; two people have to say so, which the fields
// that hold addresses ask for anyway.

// addresses refuses addresses of a record that may not be called.
func (s *Service) addresses(rec *core.Record) error {
	for _, a := range store.AddressesOf(rec) {
		u, err := wire.ParseBase(a)
		switch {
		case rec.Collection().Name == collections.SMSConfigs: // has a path of its own, and its own check
			continue
		case err != nil:
			return err
		case wire.Forbidden(u):
			return fmt.Errorf("%s 是链路本地地址或云主机元数据地址，不能使用", u.Host)
		case s.Production && u.Scheme != "https" && !wire.Inside(u):
			return fmt.Errorf("%s 不是 https。生产环境只有内网地址（如 http://10.1.2.3:8080）可以不用 https", u.Host)
		}
	}
	return nil
}

// alone refuses a superuser to enter in the dashboard what two people must say.
func (s *Service) alone(rec *core.Record, before []string) error {
	if !s.Production {
		return nil
	}
	if err := s.addresses(rec); err != nil {
		return invalid(err.Error())
	}
	known := map[string]bool{}
	for _, a := range before {
		known[a] = true
	}
	for _, a := range store.AddressesOf(rec) {
		u, err := wire.ParseBase(a)
		if err == nil && u.Scheme != "https" && !known[a] && rec.Collection().Name != collections.SMSConfigs {
			return invalid(u.Host + " 不是 https，须由两个人确认：请由配置人员在控制台“系统配置”提出，另一人确认")
		}
	}
	return nil
}
