package wechat

import "hospay/sim/world"

// apps are the applications that the merchants are bound to, with their secrets.
var apps = map[string]string{AppID: AppSecret, MiniAppID: MiniAppSecret}

// openidIn is a person's openid in an application: everybody has another one in each.
func openidIn(app string, p *world.Patient) string {
	switch {
	case p == nil || apps[app] == "":
		return ""
	case app == MiniAppID:
		return p.MiniOpenid
	}
	return p.Openid
}

// belongs tells whether an openid is a test person's in that application.
func (s *Server) belongs(app, openid string) bool {
	return openid != "" && openidIn(app, s.world.Find(openid)) == openid
}
