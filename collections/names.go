// Package collections holds the names, access rules and guards of hospay's
// PocketBase collections, and how a program opens a data folder under them.
// Money moves only through package store; record edits of guarded collections
// are refused for everybody.
package collections

// Names of the collections.
const (
	Institutions      = "institutions"
	Patients          = "patients"
	PatientCards      = "patient_cards"
	Staff             = "staff"
	ChannelConfigs    = "channel_configs"
	HISConfigs        = "his_configs"
	SMSConfigs        = "sms_configs"
	Connections       = "connections" // whom calls were sent to
	UsedTickets       = "used_tickets"
	ReviewSettings    = "review_settings"
	Notices           = "notices"
	NotificationTexts = "notification_texts"
	RefundOrders      = "refund_orders"
	RefundEvents      = "refund_events"
	TransferOrders    = "transfer_orders"
	HISCalls          = "his_calls"
	Reviews           = "reviews"
	Notifications     = "notifications"
	Callbacks         = "callbacks"
	Receipts          = "receipts"
	Statements        = "statements"
	AuditLog          = "audit_log"
	AuditSinks        = "audit_sinks" // where the audit log is sent to
	JobRuns           = "job_runs"
	Exports           = "exports"
	StaffSecurity     = "staff_security" // what the login keeps
	Sessions          = "sessions"       // one row a login of patients and staff
	RefundDays        = "refund_days"    // the statistics, kept by triggers
	RefundCounts      = "refund_counts"  // orders by status, kept by triggers
	PaymentDays       = "payment_days"   // the statistics of payments, kept by triggers
	VaultKeys         = "vault_keys"
	ProxyApplications = "proxy_applications"
	ProxyMaterials    = "proxy_materials"
	Batches           = "batches"
	ConfigChanges     = "config_changes"
	StatementLines    = "statement_lines" // lines of bills that could not be read
	ReconRuns         = "recon_runs"      // runs of the reconciliation
	Differences       = "differences"     // what the books of a day do not agree on
	Resolutions       = "resolutions"     // how differences were worked off
	ReconMonths       = "recon_months"    // closed months
	CentreConfigs     = "centre_configs"
	Kiosks            = "kiosks" // 自助机
	PaymentOrders     = "payment_orders"
	PaymentEvents     = "payment_events"
	PaymentCalls      = "payment_calls"
	PaymentRefunds    = "payment_refunds"
	// PaymentCredentials are what patients have authorised with, until an order
	// takes it.
	PaymentCredentials = "payment_credentials"
	// PersonTerms are what people are found by: keyed hashes of names and phones.
	PersonTerms = "person_terms"
)

// Kinds of notices.
const (
	NoticeRefund = "refund" // 退款须知
	NoticeProxy  = "proxy"  // 代办授权与隐私告知
)

// Guarded lists the collections whose rows only the Store writes: no record
// request, script or dashboard edit may create, change or delete them.
func Guarded() []string {
	return []string{
		RefundOrders, RefundEvents, TransferOrders, HISCalls, Reviews, Callbacks, AuditLog, VaultKeys, UsedTickets, PatientCards,
		ProxyApplications, ProxyMaterials, RefundDays, RefundCounts, StaffSecurity, Sessions, Batches, ConfigChanges, Statements, StatementLines,
		ReconRuns, Differences, Resolutions, ReconMonths, Connections, PaymentOrders, PaymentEvents,
		PaymentCalls, PaymentRefunds, PaymentCredentials, PaymentDays, PersonTerms,
	}
}

// AppendOnly lists the tables that triggers keep from being changed or deleted.
func AppendOnly() []string {
	return []string{RefundEvents, Reviews, Callbacks, AuditLog, PaymentEvents}
}

// All lists every collection of hospay.
func All() []string {
	return []string{
		Institutions, Patients, PatientCards, Staff, ChannelConfigs, HISConfigs, SMSConfigs, ReviewSettings, Notices, NotificationTexts,
		RefundOrders,
		RefundEvents, TransferOrders, HISCalls, Reviews, Notifications, Callbacks, Receipts, Statements, AuditLog, JobRuns, VaultKeys,
		UsedTickets,
		ProxyApplications, ProxyMaterials, RefundDays, RefundCounts, Exports, StaffSecurity, Sessions, Batches, ConfigChanges, StatementLines,
		ReconRuns, Differences, Resolutions, ReconMonths, Connections, AuditSinks, CentreConfigs, Kiosks,
		PaymentOrders, PaymentEvents, PaymentCalls, PaymentRefunds, PaymentCredentials, PaymentDays, PersonTerms,
	}
}
