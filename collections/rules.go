package collections

import "hospay/people"

// The parts of the access rules. nil rules mean superusers only.
const (
	isPatient = `@request.auth.collectionName = "patients"`
	isStaff   = `@request.auth.collectionName = "staff" && @request.auth.active = true`
	owns      = isPatient + ` && patient = @request.auth.id`
	sameHouse = isStaff + ` && institution = @request.auth.institution`
)

func role(name string) string { return `@request.auth.roles ~ "` + name + `"` }

// anyOf stands in brackets of its own, because && binds closer than ||.
func anyOf(rules ...string) string {
	out := ""
	for i, r := range rules {
		if i > 0 {
			out += " || "
		}
		out += "(" + r + ")"
	}
	return "(" + out + ")"
}

// Rules are the access rules of a collection; nil is superusers only. Auth says
// which accounts of an auth collection may log in.
type Rules struct {
	List   *string `db:"listRule"`
	View   *string `db:"viewRule"`
	Create *string `db:"createRule"`
	Update *string `db:"updateRule"`
	Delete *string `db:"deleteRule"`
	Auth   *string `db:"authRule"`
}

func readBy(rule string) Rules { return Rules{List: &rule, View: &rule} }

// RulesOf returns the access rules of a collection.
func RulesOf(collection string) Rules {
	rule, ok := readRules()[collection]
	if !ok {
		return Rules{}
	}
	r := readBy(rule)
	switch collection {
	case RefundOrders, PaymentOrders:
		create := isPatient
		r.Create = &create
	case ProxyApplications:
		create := isPatient
		r.Create = &create
	case ProxyMaterials: // its own photo, while the application is a draft
		create, remove := isPatient, owns
		r.Create, r.Delete = &create, &remove
	case Reviews:
		create := isStaff + " && " + role(people.RoleReviewer)
		r.Create = &create
	case Patients:
		anybody := ""
		r.Auth = &anybody
	case Staff:
		active := "active = true"
		r.Auth = &active
	}
	return r
}

func readRules() map[string]string {
	money := anyOf(role(people.RoleReviewer), role(people.RoleFinance), role(people.RoleCashier), role(people.RoleAuditor))
	books := anyOf(role(people.RoleFinance), role(people.RoleAuditor))
	config := role(people.RoleConfig)
	return map[string]string{
		Institutions:      isStaff + ` && id = @request.auth.institution`,
		Patients:          `id = @request.auth.id && ` + isPatient,
		PatientCards:      owns,
		Staff:             anyOf(isStaff+` && id = @request.auth.id`, sameHouse+" && "+config),
		ChannelConfigs:    sameHouse + " && " + config,
		HISConfigs:        sameHouse + " && " + config,
		CentreConfigs:     sameHouse + " && " + config,
		SMSConfigs:        sameHouse + " && " + config,
		Kiosks:            sameHouse + " && " + config,
		ReviewSettings:    sameHouse + " && " + anyOf(role(people.RoleReviewer), config, role(people.RoleAuditor)),
		Notices:           anyOf(isPatient+` && institution = @request.auth.institution`, sameHouse),
		NotificationTexts: sameHouse + " && " + config,
		RefundOrders:      anyOf(owns, sameHouse+" && "+money),
		RefundEvents:      sameHouse + " && " + money,
		TransferOrders:    sameHouse + " && " + money,
		HISCalls:          sameHouse + " && " + money,
		PaymentOrders:     anyOf(owns, sameHouse+" && "+money),
		PaymentEvents:     sameHouse + " && " + money,
		PaymentCalls:      sameHouse + " && " + money,
		PaymentRefunds:    sameHouse + " && " + money,
		Reviews:           sameHouse + " && " + money,
		Exports:           sameHouse + " && owner = @request.auth.id",
		RefundDays:        sameHouse + " && " + money,
		RefundCounts:      sameHouse + " && " + money,
		PaymentDays:       sameHouse + " && " + money,
		Notifications: anyOf(owns+` && staff = false && via = "in_app" && state = "sent"`, sameHouse+" && "+money,
			sameHouse+" && "+config+` && (event = "certificate" || event = "alarm")`),
		Callbacks:         sameHouse + " && " + books,
		Receipts:          anyOf(owns, sameHouse+" && "+money),
		Statements:        sameHouse + " && " + books,
		StatementLines:    sameHouse + " && " + books,
		ReconRuns:         sameHouse + " && " + books,
		Differences:       sameHouse + " && " + books,
		Resolutions:       sameHouse + " && " + books,
		ReconMonths:       sameHouse + " && " + books,
		ProxyApplications: anyOf(owns, sameHouse+" && "+money),
		ProxyMaterials:    anyOf(owns, sameHouse+" && "+anyOf(role(people.RoleReviewer), role(people.RoleAuditor))),
		AuditLog:          sameHouse + " && " + role(people.RoleAuditor),
		Batches:           isStaff + " && " + role(people.RoleReviewer) + ` && starter = @request.auth.id`,
		ConfigChanges:     sameHouse + " && " + anyOf(config, role(people.RoleFinance), role(people.RoleAuditor)),
		JobRuns:           isStaff + " && " + anyOf(role(people.RoleFinance), role(people.RoleAuditor), config),
	}
}
