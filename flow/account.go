package flow

import "strings"

// InApp writes a person's account in an application of a channel beside its first
// one: a hospital may have an official account and a mini program, in which one
// person has two openids. Accounts of the first application are written alone.
func InApp(app, id string) string {
	if app == "" {
		return id
	}
	return app + ":" + id
}

// AppOf takes an account apart; app is empty for the channel's first application.
func AppOf(account string) (app, id string) {
	app, id, ok := strings.Cut(account, ":")
	if !ok {
		return "", account
	}
	return app, id
}
