package people

import "slices"

// Roles of the staff.
const (
	RoleReviewer = "reviewer" // 审核
	RoleFinance  = "finance"  // 财务
	RoleCashier  = "cashier"  // 收费处
	RoleAuditor  = "auditor"  // 审计
	RoleConfig   = "config"   // 配置
)

// Roles lists all staff roles.
func Roles() []string {
	return []string{RoleReviewer, RoleFinance, RoleCashier, RoleAuditor, RoleConfig}
}

// RolesClash reports whether roles may not be one account's: who configures
// neither reviews nor handles money, and who audits does nothing else.
func RolesClash(roles []string) bool {
	has := func(r string) bool { return slices.Contains(roles, r) }
	other := slices.ContainsFunc(roles, func(r string) bool { return r != RoleAuditor })
	return has(RoleAuditor) && other || has(RoleConfig) && (has(RoleReviewer) || has(RoleFinance))
}
